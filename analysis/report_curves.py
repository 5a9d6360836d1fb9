"""The curves that a report holds: accuracy, loss and weight norm of its runs, and how each is drawn."""

import math
from typing import TYPE_CHECKING, Any

import altair as alt

from analysis.charts.learning_curves import thinned
from analysis.theme import BLUE, SPLITS, step_axis

if TYPE_CHECKING:
    from study.store.database import Store

WHOLE = "model"
"""The line of what is measured once for all splits."""
MEASURES = {"accuracy": tuple(SPLITS), "loss": tuple(SPLITS), "weight_norm": (WHOLE,)}
"""What is drawn, a picture for each, and the lines of a run in it."""
DIGITS = {"accuracy": 3, "loss": 3, "weight_norm": 4}
"""Digits that are kept: behind the point of an accuracy, in all of the others."""


def curves_of(store: "Store", study: str, cells: dict[str, int]) -> dict[str, Any]:
    """`runs`: of each its `run` id, `seed`, the number of its `cell` (`cells` has them by their keys), which of `steps`
    it has, and by measure and line its values; None where there is none. `pictures`: a spec for each measure that some
    run has, for data named `curves`. At most `learning_curves.MAX_RUNS` runs, thinned."""
    columns = {(measure, line): _column(measure, line) for measure, lines in MEASURES.items() for line in lines}
    listed = ", ".join(f"list({column} order by step) as {column}" for column in columns.values())
    found = thinned(
        store,
        study,
        f"select key, run_id, any_value(seed) as seed, list(step order by step) as steps, {listed} "
        "from thinned group by key, run_id order by key, seed, run_id",
    )
    steps: dict[tuple[int, ...], int] = {}
    runs, seen = [], {measure: dict[str, None]() for measure in MEASURES}
    for row in found:
        if row["key"] not in cells:  # a value off the study's axes
            continue
        at = steps.setdefault(tuple(row["steps"]), len(steps))
        run: dict[str, Any] = {"run": row["run_id"], "seed": row["seed"], "cell": cells[row["key"]], "at": at}
        for (measure, line), column in columns.items():
            if any(value is not None for value in row[column]):
                seen[measure][line] = None
                run.setdefault(measure, {})[line] = [_short(measure, value) for value in row[column]]
        runs.append(run)
    pictures = {
        measure: _picture(measure, [line for line in MEASURES[measure] if line in lines])
        for measure, lines in seen.items()
        if lines
    }
    return {"steps": list(steps), "runs": runs, "pictures": pictures}


def _column(measure: str, line: str) -> str:
    return measure if line == WHOLE else f"{line}_{measure}"


def _short(measure: str, value: float | None) -> float | int | None:
    """In the digits that a picture shows; an accuracy that is not finite is 0, as in all pictures."""
    if value is None or not math.isfinite(value):
        return 0 if value is not None and measure == "accuracy" else None
    digits = DIGITS[measure]
    kept = round(value, digits) if measure == "accuracy" else float(f"{value:.{digits}g}")
    return int(kept) if kept == int(kept) and abs(kept) < 1e15 else kept


def _picture(measure: str, lines: list[str]) -> dict[str, Any]:
    scale, axis = step_axis("optimizer step")
    bounded = alt.Scale(domain=[0, 1]) if measure == "accuracy" else alt.Scale(zero=False)
    name = measure.replace("_", " ")
    color = alt.Color("line:N").scale(domain=lines, range=[SPLITS.get(line, BLUE) for line in lines]).title(None)
    tips = [
        "point:N",
        "run:N",
        "seed:Q",
        alt.Tooltip("line:N").title("of"),
        "step:Q",
        alt.Tooltip("value:Q").title(name),
    ]
    drawn = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(strokeWidth=1.4, opacity=0.8)
        .encode(
            alt.X("step:Q", scale=scale, axis=axis),
            alt.Y("value:Q", scale=bounded, title=name),
            color.legend(symbolType="stroke", orient="top") if len(lines) > 1 else color.legend(None),
            detail=["run:N", "line:N"],
            tooltip=tips,
        )
    )
    return drawn.properties(height=220).to_dict()
