"""Which runs of a table: a condition in SQL, an order, a page. The condition is text from an address, and sees nothing
but the table: it is one expression without subqueries, in a database in memory that reaches no file."""

from typing import Any

import pyarrow as pa

from study.store.errors import QueryError, StoreError
from study.store.query import query, quoted
from study.web.run_table import Runs
from trainables.components import closest
from trainables.errors import SpecError

LONGEST = 2_000
"""Characters of a condition."""
MAX_SAID = 400
SECONDS = 10.0
"""A condition may take so long."""
ORDERS = ("asc", "desc")
ENDLESS = "range|generate_series|repeat|lpad|rpad|list_resize|array_resize|format|printf|bitstring"
"""Functions that make large values of small ones: DuckDB 2.0 cannot be interrupted in the middle of one."""
PARSED = f"""
    with parsed as (select json_serialize_sql('select ' || condition)::json as tree from asked)
    select
        tree ->> 'error_type' as error,
        coalesce(tree ->> 'error_message', '') as said,
        json_array_length(tree, '$.statements') = 1
            and json_array_length(tree, '$.statements[0].node.select_list') = 1
            and tree ->> '$.statements[0].node.select_list[0].alias' = '' as is_one,
        json_merge_patch(tree -> '$.statements[0].node', '{{"select_list": null}}')::varchar as around,
        -- in text of the user's these would have backslashes
        contains(tree::varchar, '"class":"SUBQUERY"') as asks_again,
        regexp_extract(tree::varchar, '"function_name":"({ENDLESS})"', 1, 'i') as endless,
    from parsed"""
"""What DuckDB's parser finds in `select` and a condition: one expression, and nothing around it."""


class WrongFilter(SpecError):
    """A condition or an order that cannot be; its text is for the page."""


def filtered(runs: Runs, where: str, sort: str, order: str, limit: int | None = None, skip: int = 0) -> pa.Table:
    """The rows for which `where` is true ('' = all) by the column `sort` ('' = as the table has them), from row `skip`
    on at most `limit` of them. WrongFilter says what does not work."""
    limits = "" if limit is None else f" limit {limit:d} offset {skip:d}"
    return _answer(runs, f"select * from runs{_where(where)}{_by(runs, sort, order)}{limits}")


def count(runs: Runs, where: str) -> int:
    """How many rows a condition is true for."""
    return _answer(runs, f"select count(*) as runs from runs{_where(where)}")["runs"][0].as_py()


def _answer(runs: Runs, text: str) -> pa.Table:
    try:
        return query(text, {"runs": runs.table}, SECONDS)
    except StoreError as error:  # also of more memory than a reader has
        details = error.details if isinstance(error, QueryError) else str(error)
        raise WrongFilter(f"The condition does not work: {_said(details)}") from None


def _where(condition: str) -> str:
    """The clause for a condition; it ends before a comment in it does."""
    if not condition.strip():
        return ""
    check_condition(condition)
    return f" where ({condition}\n)"


def check_condition(condition: str) -> None:
    """WrongFilter unless DuckDB's parser finds one expression in it, without a subquery and with nothing behind it."""
    if len(condition) > LONGEST:
        raise WrongFilter(f"The condition has {len(condition):,} characters: write it in {LONGEST:,} or fewer.")
    found = _parsed(condition)
    if found["error"] == "parser":
        raise WrongFilter(f"The condition cannot be read: {_said(found['said'])}.")
    if found["error"] or not found["is_one"] or found["around"] != _parsed("true")["around"]:
        raise WrongFilter("The condition must be one SQL expression, as in phase = 'grokking', with nothing behind it.")
    if found["asks_again"]:
        raise WrongFilter("The condition must not hold a subquery: it sees the columns of this table alone.")
    if found["endless"]:
        raise WrongFilter(f"The condition must not call {found['endless']}(), whose value may be of any size.")


def _parsed(condition: str) -> dict[str, Any]:
    try:
        return query(PARSED, {"asked": pa.table({"condition": [condition]})}).to_pylist()[0]
    except QueryError as error:
        raise WrongFilter(f"The condition cannot be read: {_said(error.details)}") from None


def _by(runs: Runs, sort: str, order: str) -> str:
    """The clause for an order. Runs without a value are last, those with equal values by their id."""
    if not sort:
        return ""
    if sort not in runs.table.column_names:
        raise WrongFilter(f"sort={sort!r} is no column. {closest(sort, runs.table.column_names)}")
    if order not in ORDERS:
        raise WrongFilter(f"order={order!r} must be asc or desc.")
    columns = runs.axes if sort == "point" and runs.axes else (sort,)
    return " order by " + ", ".join(f"{quoted(name)} {order} nulls last" for name in columns) + ", run_id"


def _said(details: str) -> str:
    """What DuckDB says and its hint, on one line, without the place in a query that the user did not write."""
    said = " ".join(details.partition("\nLINE ")[0].split())
    kind, _, rest = said.partition(" Error: ")
    said = rest if rest and kind.replace(" ", "").isalpha() else said
    return said if len(said) <= MAX_SAID else f"{said[:MAX_SAID]}..."
