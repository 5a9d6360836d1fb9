"""SQL on the store in a browser: a query, its answer as a table, as a file and as a chart. It reads, as `study sql`."""

import math
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from study.store.database import Store
from study.store.errors import StoreError
from study.store.printable import clean
from study.web.pages import page
from study.web.sql import chart
from study.web.sql.answers import query_of, refused
from study.web.sql.examples import examples
from study.web.sql.table import LONGEST, is_number, shown
from study.web.takeaway import download
from trainables.errors import SpecError

MOST_ROWS, ROWS_A_PAGE, MOST_COLUMNS = 100_000, 500, 100
"""Rows of an answer that pages show in all, and rows and columns of one."""

FIRST = ("runs", "study_runs", "outcomes", "study_outcomes", "phases", "study_phases", "phase_names", "cells", "curves",
         "metrics", "probes", "attempts", "studies")  # fmt: skip
COLUMNS = """
    select table_name, list([column_name, lower(data_type)] order by column_index) as columns
    from duckdb_columns() where not internal and database_name = current_database()
    group by table_name order by table_name"""


async def sql(request: Request) -> Response:
    """The page of a query: `query`, `page`, and for its chart `x`, `y`, `color`, `mark` and `scale`."""
    if not query_of(request).strip():
        return await run_in_threadpool(_page, request)  # waits for nobody
    return await request.app.state.queries.turn(request, _page)


async def as_csv(request: Request) -> Response:
    """All rows of `query` as CSV."""
    return await request.app.state.queries.turn(request, lambda request: _file(request, "csv"))


async def as_parquet(request: Request) -> Response:
    """All rows of `query` as Parquet."""
    return await request.app.state.queries.turn(request, lambda request: _file(request, "parquet"))


def _file(request: Request, ending: str) -> Response:
    text = query_of(request)
    return download(request.app.state.queries.answer(text, request.state.left), ending, text or "query")


def _page(request: Request) -> Response:
    kept, text = request.app.state.kept, query_of(request)
    answer, mistake = None, ""
    if text.strip():
        try:
            answer = _answer(request, text)
        except StoreError as error:
            mistake = refused(error)
    return page(
        request,
        "sql.html",
        400 if mistake else 200,
        query=text,
        answer=answer,
        mistake=mistake,
        schema=kept.get("schema", lambda: schema(kept.store)),
        first=FIRST,
        examples=kept.get("examples", lambda: examples(kept.store)),
        seconds=request.app.state.queries.seconds,
    )


def _answer(request: Request, text: str) -> dict[str, Any]:
    """What a page shows of an answer: a part of its rows, and its chart."""
    table = request.app.state.queries.answer(text, request.state.left)
    pages = max(1, math.ceil(min(len(table), MOST_ROWS) / ROWS_A_PAGE))
    number = min(_page_number(request), pages)
    first = (number - 1) * ROWS_A_PAGE
    part = table.slice(first, ROWS_A_PAGE).select(range(min(table.num_columns, MOST_COLUMNS)))
    return {
        "columns": [(clean(field.name), is_number(field.type)) for field in part.schema],
        "rows": shown(part),
        "first": first + 1,
        "total": len(table),
        "most": MOST_ROWS if len(table) > MOST_ROWS else None,
        "left_out": table.num_columns - part.num_columns,
        "longest": LONGEST,
        "page": number,
        "pages": pages,
        "chart": chart.controls(request, table),
    }


def _page_number(request: Request) -> int:
    said = request.query_params.get("page") or "1"
    if not (said.isascii() and said.isdecimal() and 0 < len(said) < 10 and int(said)):
        raise SpecError(f"page must be a whole number, 1 or larger, got {said[:80]!r}.")
    return int(said)


def schema(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Columns and their types by table or view, those first that people ask."""
    found = {name: [(column, kind) for column, kind in columns] for name, columns in store.sql(COLUMNS).fetchall()}
    return {name: found[name] for name in (*(name for name in FIRST if name in found), *sorted({*found} - {*FIRST}))}
