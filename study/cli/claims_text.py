"""Claims of papers for people, and as JSON."""

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from study.cli.output import print_json, width_of
from study.cli.tables import print_rows, without_empty


def show_claims(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """What papers say, what was measured, and the verdicts: the rows of `analysis.claim.as_row`."""
    if as_json:
        print_json(list(rows))
        return
    print_rows(without_empty([for_people(row) for row in rows]))
    for note in dict.fromkeys(row["note"] for row in rows if row["note"] and row["ours"]):
        print(textwrap.fill(f"- {note}", width_of(sys.stdout), subsequent_indent="  ", break_long_words=False))


def for_people(row: dict[str, Any]) -> dict[str, Any]:
    """One claim, as it is shown."""
    return {
        "claim": f"{row['says']} {row['source']}",
        "published": row["published"],
        "ours": f"{row['ours']} {row['unit']}" if row["ours"] else "",
        "bar": row["bar"],
        "verdict": row["verdict"],
        "study": row["study"],
        "runs": f"{row['ended']}/{row['planned']}",
    }
