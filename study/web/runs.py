"""The page of runs: a table of a store's or a study's runs, filtered, sorted and paged on the server."""

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from study.web.definitions import definition_names
from study.web.kept import Kept
from study.web.pages import page
from study.web.run_filter import ORDERS, WrongFilter, count, filtered
from study.web.run_table import Runs, runs_of
from study.web.takeaway import download, ending_of
from trainables.errors import SpecError

ROWS = 100
"""On one page."""
SHOWN = {
    "run_id": "run",
    "studies": "studies",
    "point": "point",
    "seed": "seed",
    "phase": "phase",
    "status": "status",
    "stop_reason": "ended by",
    "steps": "steps",
    "train_step_95": "steps to fit",
    "test_step_95": "steps to generalize",
    "final_train_accuracy": "train accuracy",
    "final_test_accuracy": "test accuracy",
    "wall_seconds": "seconds",
    "layers": "layers",
    "width": "width",
    "ratio": "ratio",
    "weight_decay": "weight decay",
    "learning_rate": "learning rate",
    "data_size": "data size",
}
"""Columns of the page and their headings."""
TEXTS = ("run_id", "studies", "point", "phase", "status", "stop_reason")
EXAMPLES = (
    "phase = 'grokking' and width > 32",
    "test_step_95 > 10 * train_step_95",
    "train_step_95 is not null and test_step_95 is null",
    "status = 'failed' or stop_reason = 'diverged'",
    "model = 'transformer' and weight_decay between 0.1 and 1",
)


@dataclass(frozen=True)
class Asked:
    """Which runs a page is asked for, and in which order; '' = all, or as the table has them."""

    study: str | None
    definition: str | None
    where: str
    sort: str
    order: str
    page: int


def asked_of(request: Request) -> Asked:
    """What the address of a request says; SpecError for a page that is no number."""
    given = request.query_params
    text = given.get("page", "").strip() or "1"
    if not (text.isascii() and text.isdecimal() and int(text[:12]) > 0):
        raise SpecError(f"page={text[:40]!r} must be a whole number, 1 or larger.")
    return Asked(
        study=given.get("study") or None,
        definition=given.get("definition") or None,
        where=given.get("where", "").strip(),
        sort=given.get("sort", ""),
        order=given.get("order") or ORDERS[0],
        page=int(text[:12]),
    )


def runs(request: Request) -> Response:
    """A page of the table. A condition or an order that does not work is said above it, and all runs are shown."""
    kept, asked = request.app.state.kept, asked_of(request)
    found = runs_of(kept, asked.study, asked.definition)
    shown, mistake = asked, None
    try:
        total = count(found, asked.where)
        table = _cut(found, asked, total)
    except WrongFilter as error:
        shown, mistake = replace(asked, where="", sort=""), str(error)
        total = found.table.num_rows
        table = _cut(found, shown, total)
    number = min(shown.page, _pages(total))
    return page(
        request,
        "runs.html",
        400 if mistake else 200,
        given=asked,
        mistake=mistake,
        studies=_studies(kept),
        definitions=kept.get(("definitions", asked.study), lambda: definition_names(kept.store, asked.study)),
        definition=found.definition.name,
        phases={phase.name: phase for phase in found.definition.phases},
        columns={name: title for name, title in SHOWN.items() if name in _columns(found, asked)},
        texts=TEXTS,
        known=[(field.name, str(field.type)) for field in found.table.schema],
        examples=_examples(found),
        sort=shown.sort,
        rows=table.to_pylist(),
        total=total,
        number=number,
        pages=_pages(total),
        first=(number - 1) * ROWS + 1,
    )


def rows_to_take(request: Request) -> Response:
    """The filtered and sorted rows of all pages, with every column, as a file."""
    asked = asked_of(request)
    found = runs_of(request.app.state.kept, asked.study, asked.definition)
    table = filtered(found, asked.where, asked.sort, asked.order)
    return download(table, ending_of(request), f"{asked.study}_runs" if asked.study else "runs")


def _cut(found: Runs, asked: Asked, total: int) -> Any:
    skip = (min(asked.page, _pages(total)) - 1) * ROWS
    return filtered(found, asked.where, asked.sort, asked.order, ROWS, skip)


def _pages(total: int) -> int:
    return max(1, -(-total // ROWS))


def _columns(found: Runs, asked: Asked) -> list[str]:
    """Without those that no run of the table has a value for, and without the study where one is chosen."""
    table = found.table
    return [
        name
        for name in table.column_names
        if (asked.study is None or name != "studies") and (name in TEXTS or table[name].null_count < len(table))
    ]


def _examples(found: Runs) -> list[str]:
    """Conditions to try, one of them on an axis of the study."""
    of_axis = [f'"{axis}" is not null' for axis in found.axes[:1]]
    return [*EXAMPLES, *of_axis]


def _studies(kept: Kept) -> list[str]:
    text = "select study from studies order by 1"
    return kept.get("names of studies", lambda: [name for (name,) in kept.store.sql(text).fetchall()])
