"""Rows as a table where it fits the width, and one block of `name: value` lines per row where it does not.

The rule: a column of numbers or single words is as wide as its widest value. One of several words may be wrapped
between words, to no less than WRAPPED columns and no more than MOST_LINES lines. What does not fit is shown as blocks.
"""

import json
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from study.cli.output import print_json, width_of
from study.store.printable import clean, plain

MAX_ROWS = 200
WRAPPED = 24
"""Columns that text of several words keeps."""
MOST_LINES = 6
GAP = 3
"""Columns between two values of a row."""
ONE_LINE = dict.fromkeys(map(ord, "\n\r\t"), " ")

Row = dict[str, Any]


def show_rows(rows: Sequence[Row], as_json: bool) -> None:
    """Rows with the same keys, as JSON or for people."""
    if as_json:
        print_json(list(rows))
        return
    print_rows(rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        print(f"... {len(rows) - MAX_ROWS:,} more rows; --json gives all of them.")


def print_rows(rows: Sequence[Row], width: int | None = None) -> None:
    """Rows as a table or as blocks, whichever fits the terminal, or `width`."""
    width = width or width_of(sys.stdout)
    if not rows:
        print("no rows")
        return
    widths = column_widths(rows, width)
    if widths is None:
        print("\n\n".join(block(row, width) for row in rows))
    else:
        print_table(rows, widths)


def without_empty(rows: Sequence[Row]) -> list[Row]:
    """The rows without the columns that say nothing in any of them."""
    told = {name for row in rows for name, value in row.items() if value not in (None, "")}
    return [{name: value for name, value in row.items() if name in told} for row in rows]


def print_table(rows: Sequence[Row], widths: Sequence[int]) -> None:
    """A table whose columns have these widths; longer values are wrapped."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns = zip(*(row.values() for row in rows), strict=True)
    for name, width, values in zip(rows[0], widths, columns, strict=True):
        table.add_column(Text(name), justify="right" if _are_numbers(values) else "left", width=width)
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row.values()))
    # Without styles, whose sequences would look like those that come from data.
    Console(width=sum(widths) + GAP * (len(widths) - 1), color_system=None).print(table)


def column_widths(rows: Sequence[Row], width: int, most_lines: int = MOST_LINES) -> list[int] | None:
    """What each column gets in a table of this width; None where they do not fit."""
    columns = [[name, *(cell(row[name]) for row in rows)] for name in rows[0]]
    widest = [max(map(cell_len, column)) for column in columns]
    least = [_least(column, most) for column, most in zip(columns, widest, strict=True)]
    left = width - GAP * (len(columns) - 1) - sum(least)
    if left < 0:
        return None
    widths = list(least)
    while left > 0 and (growing := [i for i, most in enumerate(widest) if widths[i] < most]):
        i = min(growing, key=lambda i: widths[i])  # the narrowest of those that are wrapped
        widths[i] += 1
        left -= 1
    lines = max(len(wrapped(value, w)) for column, w in zip(columns, widths, strict=True) for value in column)
    return widths if lines <= most_lines else None


def block(row: Row, width: int) -> str:
    """One row, a line for each value or more where it is long; words longer than a line are not cut."""
    indent = max(map(cell_len, row)) + 2
    lines = []
    for name, value in row.items():
        first, *rest = wrapped(cell(value), max(width - indent, 16)) or [""]
        lines.append(f"{name + ':':{indent}}{first}".rstrip())
        lines += [" " * indent + line for line in rest]
    return "\n".join(lines)


def cell(value: Any) -> str:
    """A value as people read it, on one line and clean."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"
    text = json.dumps(plain(value), default=str) if isinstance(value, (list, dict)) else str(value)
    return clean(text.translate(ONE_LINE))


def _least(column: Sequence[str], widest: int) -> int:
    """Columns that a column needs: what its widest value has, or less where that may be wrapped."""
    if widest <= WRAPPED:
        return widest
    return max(WRAPPED, *(cell_len(word) for text in column for word in text.split() or [""]))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of text, broken between words, and after a comma where a word is too long for a line."""
    words = [part for word in text.split() for part in (_parts(word, width) if len(word) > width else [word])]
    return textwrap.wrap(" ".join(words), width, break_long_words=False, break_on_hyphens=False)


def _parts(word: str, width: int) -> list[str]:
    """A long word as lists are broken: after commas, each part as long as a line may be."""
    parts: list[str] = []
    for piece in word.replace(",", ",\n").splitlines():
        if parts and len(parts[-1]) + len(piece) <= width:
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _are_numbers(values: Sequence[Any]) -> bool:
    """True for a column of numbers, some of which may be missing."""
    kinds = [value for value in values if value is not None]
    return bool(kinds) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in kinds)
