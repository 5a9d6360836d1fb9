"""The page of one run: where it belongs, what came of it, its curves, and how to make it again."""

import json
import pprint
import re
import shlex
import textwrap
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from study.store.database import Store
from study.store.levels import LEVELS, SPLITS
from study.store.studies import own_definitions
from study.web.definitions import known_definitions
from study.web.pages import page
from study.web.run_facts import measures_of, outcomes_of, phases_of, rows_of
from trainables.components import available
from trainables.parts import PARTS

MOST_SEEDS = 60
"""Runs of the same point that are listed."""
LONGEST_SPEC = 20_000
"""Characters of a spec for which a page says how to train it."""

HELD = """
    select study, point::text as point, list_max(horizons)::bigint as horizon, study_outcomes.status,
        study_outcomes.horizon as observed
    from study_runs join study_outcomes using (study, run_id) where run_id = ? order by study"""
SEEDS = """
    select run_id, seed, status from study_runs join runs using (run_id)
    where study = $study and point = $point::json and run_id <> $run order by seed, run_id limit $most"""
ATTEMPTS = "select *, versions::text as versions from attempts where run_id = ? order by attempt"


def run(request: Request) -> Response:
    """The page of the run in the path; 404 for one that the store does not have."""
    kept, run_id = request.app.state.kept, request.path_params["run_id"]
    facts = kept.get(("run", run_id), lambda: _facts(kept.store, run_id))
    if facts is None:
        raise HTTPException(404, f"There is no run {run_id!r} in this store: /runs lists all that there are.")
    return page(request, "run.html", **facts)


def _facts(store: Store, run_id: str) -> dict[str, Any] | None:
    found = rows_of(store, [run_id])
    if not found:
        return None
    [row] = found
    studies = _studies(store, run_id)
    return {
        "run": row,
        "studies": studies,
        "attempts": store.sql(ATTEMPTS.replace("*,", "* exclude (versions),"), [run_id]).to_arrow_table().to_pylist(),
        "phases": _phases(store, run_id),
        "passages": _passages(row),
        "measures": measures_of(store, [run_id]),
        "spec": json.dumps(json.loads(row["spec"]), indent=2),
        "code": code(run_id, json.loads(row["spec"]), row["horizon"]),
    }


def _studies(store: Store, run_id: str) -> list[dict[str, Any]]:
    """The studies of a run with its point there, its phase under the study's own definition, and its other seeds."""
    from analysis.charts import label

    rows = store.sql(HELD, [run_id]).to_arrow_table().to_pylist()
    for row in rows:
        study = row["study"]
        definition = own_definitions(store, study)[study]
        outcomes = store.of(study).sql("from outcomes where run_id = ?", [run_id]).to_arrow_table()
        row["definition"] = definition.name
        row["phase"] = _in_words(definition, phases_of(outcomes, [definition]).get(definition.name, {}).get(run_id))
        asked = {"study": study, "point": row["point"], "run": run_id, "most": MOST_SEEDS}
        row["seeds"] = store.sql(SEEDS, asked).to_arrow_table().to_pylist()
        row["command"] = f"study run {shlex.quote(study)} --store {shlex.quote(str(store.path))}"
        row["words"] = label(json.loads(row["point"]))
    return rows


def _phases(store: Store, run_id: str) -> list[dict[str, Any]]:
    """The run's phase under every definition of the store, at the longest horizon that it has finished."""
    known = known_definitions(store)
    found = phases_of(outcomes_of(store, [run_id]), known.values())
    return [{"definition": name} | _in_words(known[name], phases.get(run_id)) for name, phases in found.items()]


def _in_words(definition: Any, name: str | None) -> dict[str, Any]:
    """A phase with its colour and its words."""
    known = {phase.name: phase for phase in definition.phases}
    if name not in known:
        return {
            "name": name,
            "color": None,
            "words": "not in its definition's table" if name else "it fails on this run",
        }
    return {"name": name, "color": known[name].color, "words": known[name].words}


def _passages(row: dict[str, Any]) -> list[dict[str, Any]]:
    """When each split was first answered at each accuracy: a step, or None; splits without records are left out."""
    splits = [split for split in SPLITS if row[f"final_{split}_accuracy"] is not None]
    return [
        {"split": split, "steps": [row[f"{split}_step_{level}"] for level in LEVELS.values()]}
        | {"final": row[f"final_{split}_accuracy"]}
        for split in splits
    ]


def code(run_id: str, spec: dict[str, Any], horizon: int | None) -> str:
    """Python that trains exactly this run; a module of a user's own is imported first, which its parts need."""
    named = [(package, _name(spec.get(part))) for part, (package, _) in PARTS.items()]
    modules = {name.partition(":")[0] for package, name in named if name not in available(package)}
    own = "".join(f"import {name}  # its file must be where Python finds it\n" for name in sorted(modules) if name)
    written = textwrap.indent(pprint.pformat(spec, width=100), "    ")
    return f"""\
from trainables.engine import train_pack
from trainables.spec import RunSpec
{own}
spec = RunSpec.from_json(
{written}
)
assert spec.run_id == {run_id!r}


def show(flush):
    columns = (flush.metrics[name] for name in ("step", "split", "metric", "value"))
    for step, split, metric, value in zip(*columns):
        print(step, split, metric, value)


[state] = train_pack([spec], horizon={horizon or 1000}, record=show)
print(state)
"""


def _name(part: Any) -> str:
    """The name of a part of a spec; '' for what is none: a store may have been made by anybody, and a name becomes
    code here."""
    name = part.get("name") if isinstance(part, dict) else None
    return name if isinstance(name, str) and re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[\w.]+)?", name) else ""
