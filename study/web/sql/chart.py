"""The chart of an answer: which of its columns a reader has chosen, and the chart as charts of studies are given."""

from typing import Any

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response

from study.store.database import Store
from study.store.errors import StoreError
from study.store.printable import clean
from study.web import charts
from study.web.pages import address
from study.web.sql.answers import query_of, refused
from study.web.sql.choice import MARKS, SCALES, Choice, Undrawable, choice_of

COLORS = "select phase, min(color) from phase_names group by phase"


def controls(request: Request, table: pa.Table) -> dict[str, Any]:
    """What a reader can choose, what is chosen, and the address of the chart, None where there is none yet."""
    choice, mistake = choice_of(request), ""
    try:
        choice.check(table.column_names)
    except Undrawable as error:
        mistake = clean(str(error))
    given = {name: value for name, value in vars(choice).items() if value}
    is_drawn = choice.x and choice.y and not mistake and len(table)
    return {
        "columns": [(name, clean(name)) for name in table.column_names],
        "choice": choice,
        "marks": MARKS,
        "scales": SCALES,
        "mistake": mistake,
        "address": address("/sql/chart", [("query", query_of(request))], **given) if is_drawn else None,
    }


async def chart(request: Request) -> Response:
    """The chart of `query` with columns `x`, `y` and `color`, a `mark` and a `scale`; `format` as for other charts."""
    return await request.app.state.queries.turn(request, _chart)


def _chart(request: Request) -> Response:
    choice = choice_of(request)
    try:
        table = request.app.state.queries.answer(query_of(request), request.state.left)
        made = _made(request.app.state.kept.store, table, choice)
    except StoreError as error:
        made = {"missing": refused(error).splitlines()[0]}
    except Undrawable as error:
        made = {"missing": clean(str(error))}
    return charts.answer(request, charts.encoded(made), f"{choice.y}_by_{choice.x}")


def _made(store: Store, table: pa.Table, choice: Choice) -> dict[str, Any]:
    from study.web.sql.picture import picture

    choice.check(table.column_names)
    if not (choice.x and choice.y):
        raise Undrawable("choose a column for x and one for y.")
    colors = dict(store.sql(COLORS).fetchall()) if choice.color == "phase" else {}
    with charts.DRAWING:
        return {"spec": charts.spec_of(picture(table, choice, colors))}
