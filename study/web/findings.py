"""What came of a study in words, and its claims: parts of its page that take longer to find out."""

from typing import Any

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from study.store.database import Store
from study.web.asked import Asked, asked_of
from study.web.pages import page
from study.web.standings import row_of
from study.web.takeaway import download, ending_of

TEXTS = ("row", "name", "says", "question", "source", "published", "unit", "bar", "study", "ours", "verdict", "note")
CLAIMS = pa.schema(
    [(name, pa.string()) for name in TEXTS]
    + [(name, pa.int64()) for name in ("ended", "planned", "seeds")]
    + [(name, pa.float64()) for name in ("value", "low", "high")]
)
"""The columns of a file of claims, also where there are none."""


def findings(request: Request) -> HTMLResponse:
    """The answer to a study's question as it is asked for, and its claims."""
    kept, given = request.app.state.kept, asked_of(request)
    row_of(kept, given.study)
    asked = Asked(given.study, given.definition, given.params, horizon=given.horizon)
    answer = kept.seldom(("answer", asked), lambda: _answer(kept.store, asked))
    claims = kept.seldom(("claims", asked.study), lambda: _claims(kept.store, asked.study))
    return page(request, "findings.html", study=asked.study, answer=answer, claims=claims)


def claims_to_take(request: Request) -> Response:
    """The study's claims with their verdicts, as a file."""
    name = request.path_params["study"]
    kept = request.app.state.kept
    row_of(kept, name)
    claims = kept.get(("claims", name), lambda: _claims(kept.store, name))
    return download(pa.Table.from_pylist(claims, schema=CLAIMS), ending_of(request), f"{name}_claims")


def _answer(store: Store, asked: Asked) -> str:
    from analysis.answers import answer

    return answer(asked.judged(store), asked.study, asked.facts(store).definition)


def _claims(store: Store, study: str) -> list[dict[str, Any]]:
    from analysis.claim import as_row
    from analysis.claim_check import claims_about

    return [as_row(checked) for checked in claims_about(store, study)]
