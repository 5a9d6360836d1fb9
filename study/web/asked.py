"""What the address of a study's page asks for: a definition and its thresholds, axes, values that are held, cells."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from study.search.axis_text import parse_value
from study.store.database import Store
from study.store.studies import definition_of, judged
from study.store.thresholds import with_params
from study.web.definitions import check_definition
from trainables.errors import SpecError

if TYPE_CHECKING:
    from analysis.arrangement import Arrangement
    from analysis.stored import Study

MOST_CELLS = 10
"""More curves than that cannot be told apart."""
ALL = "all"
"""In place of a value: the runs of all values of this axis, counted together."""


@dataclass(frozen=True)
class Asked:
    """A study, and how to look at it. All of it is in the address, so that it can be sent."""

    study: str
    definition: str | None = None
    params: tuple[tuple[str, float], ...] = ()
    x: str | None = None
    y: str | None = None
    at: tuple[tuple[str, Any], ...] = ()
    """Axes and the values at which they are held; ALL for one whose values are counted together."""
    horizon: int | None = None
    cells: tuple[str, ...] = ()
    """Chosen cells as JSON objects {axis: value}."""

    @property
    def points(self) -> list[dict[str, Any]]:
        """The chosen cells; SpecError for one that is no JSON object."""
        return [_point(text) for text in self.cells]

    @property
    def held(self) -> dict[str, Any]:
        return {axis: value for axis, value in self.at if value != ALL}

    @property
    def pooled(self) -> list[str]:
        return [axis for axis, value in self.at if value == ALL]

    def judged(self, store: Store) -> Store:
        """The store with the study's runs judged at the horizon that is asked for."""
        return judged(store, self.study, self.horizon)

    def facts(self, store: Store) -> "Study":
        """The study under the definition that is asked for, with its thresholds."""
        from analysis.stored import read_study

        store = self.judged(store) if self.horizon else store
        if self.definition is not None:
            check_definition(store, self.study, self.definition)
        found = definition_of(store, self.study, self.definition)
        return read_study(store, self.study, with_params(found, dict(self.params)))

    def arranged(self, cells: list[dict[str, Any]], facts: "Study") -> "Arrangement":
        """The place of every axis."""
        from analysis.arrangement import arranged

        return arranged(cells, facts, self.x, self.y, self.held, self.pooled)


def asked_of(request: Request) -> Asked:
    """What a request asks of the study in its path; SpecError for a threshold or a horizon that is no number."""
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    return Asked(
        study=request.path_params["study"],
        definition=given.get("definition") or None,
        params=tuple((name[6:], _number(name, text)) for name, text in pairs if name.startswith("param.") and text),
        x=given.get("x") or None,
        y=given.get("y") or None,
        at=tuple((name[3:], parse_value(text)) for name, text in pairs if name.startswith("at.") and text),
        horizon=_whole(given["horizon"]) if given.get("horizon") else None,
        cells=tuple(dict.fromkeys(_alike(text) for name, text in pairs if name == "cell"))[:MOST_CELLS],
    )


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SpecError(f"{name} must be a number, got {text!r}.") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text)):
        raise SpecError(f"horizon must be a number of steps, 1 or larger, got {text[:80]!r}.")
    return int(text)


def _alike(text: str) -> str:
    """The text of a cell as all spellings of it have it; what is no JSON stays."""
    try:
        return json.dumps(json.loads(text), separators=(",", ":"))
    except (ValueError, RecursionError):
        return text


def _point(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SpecError(f'cell {text[:80]!r} is no JSON object: write {{"axis": value}}, or click a cell.')
    return found
