"""The page of two to ten runs side by side: what differs in their specs, what came of each, and their curves."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from study.store.database import Store
from study.web.definitions import known_definitions
from study.web.pages import page
from study.web.run_facts import flat, measures_of, outcomes_of, phases_of, rows_of
from trainables.errors import SpecError

FEWEST, MOST = 2, 10
ABSENT = "(not a field)"
OUTCOMES = {
    "judged": "status",
    "judged_reason": "ended by",
    "observed": "last recorded step",
    "train_step_95": "steps to fit (train 0.95)",
    "test_step_95": "steps to generalize (test 0.95)",
    "ood_step_95": "steps to generalize (ood 0.95)",
    "final_train_accuracy": "final train accuracy",
    "final_test_accuracy": "final test accuracy",
    "final_ood_accuracy": "final ood accuracy",
    "train_loss": "final train loss",
    "test_loss": "final test loss",
    "ood_loss": "final ood loss",
    "final_norm": "final weight norm",
    "wall_seconds": "seconds",
}


def compare(request: Request) -> Response:
    """The runs `run=`, in their order. SpecError for one run, or more than ten; 404 for runs that the store lacks."""
    kept = request.app.state.kept
    runs = list(dict.fromkeys(run for run in request.query_params.getlist("run") if run))
    if not FEWEST <= len(runs) <= MOST:
        ticked = f"{len(runs)} run{'' if len(runs) == 1 else 's'}"
        raise SpecError(f"{ticked} to compare: tick {FEWEST} to {MOST} in the table of runs, as in run=ID&run=ID.")
    facts = kept.get(("compare", tuple(runs)), lambda: _facts(kept.store, runs))
    if facts["missing"]:
        raise HTTPException(
            404, f"There is no run {facts['missing'][0]!r} in this store: /runs lists all that there are."
        )
    return page(request, "compare.html", **facts)


def _facts(store: Store, runs: list[str]) -> dict[str, Any]:
    rows = rows_of(store, runs)
    missing = sorted(set(runs) - {row["run_id"] for row in rows})
    if missing:
        return {"missing": missing}
    specs = [flat(json.loads(row["spec"])) for row in rows]
    settings = {path: [_shown(spec, path) for spec in specs] for path in dict.fromkeys(p for s in specs for p in s)}
    known = known_definitions(store)
    phases = phases_of(outcomes_of(store, runs), known.values())
    colors = {name: {phase.name: phase.color for phase in known[name].phases} for name in phases}
    return {
        "missing": [],
        "runs": rows,
        "different": {path: values for path, values in settings.items() if len(set(values)) > 1},
        "equal": {path: values[0] for path, values in settings.items() if len(set(values)) == 1},
        "outcomes": {name: title for name, title in OUTCOMES.items() if any(row[name] is not None for row in rows)},
        "phases": {
            name: [(found.get(run), colors[name].get(found.get(run, ""))) for run in runs]
            for name, found in phases.items()
        },
        "measures": measures_of(store, runs),
        "pairs": [("run", run) for run in runs],
    }


def _shown(spec: dict[str, Any], path: str) -> str:
    """A value of a spec as JSON has it, texts without quotes."""
    value = spec.get(path, ABSENT)
    return value if isinstance(value, str) else json.dumps(value)
