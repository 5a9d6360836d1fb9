"""What a store holds of single runs: specs, attempts, outcomes, phases, and which curves there are."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from study.store.database import Store
from study.store.definitions import Definition
from study.store.errors import QueryError
from study.store.query import query
from study.store.sql_text import literal

RUNS = """
    select runs.*, outcomes.* exclude (run_id, status, stop_reason, horizon, label_corruption, chance_accuracy),
        outcomes.horizon as observed, outcomes.status as judged, outcomes.stop_reason as judged_reason
    from runs join outcomes using (run_id) where run_id in ({runs})"""
LOSSES = """
    select run_id, arg_max(train_loss, step) as train_loss, arg_max(test_loss, step) as test_loss,
        arg_max(ood_loss, step) as ood_loss
    from curves where run_id in ({runs}) group by run_id"""
MEASURED = "select distinct unnest(measured) as name from recorded where run_id in ({runs})"
"""Names such as `test.accuracy`, of a split and a metric."""
MEASURES = f"""
    select distinct regexp_extract(name, '[.](.*)', 1) as name, false as is_probe from ({MEASURED})
    union all
    select distinct probe || '.' || metric, true from probes where run_id in ({{runs}})"""
FIRST = ("accuracy", "loss", "weight_norm")


def rows_of(store: Store, runs: Sequence[str]) -> list[dict[str, Any]]:
    """The runs of these ids that the store has: settings, state, outcomes (`observed` is the last recorded step) and
    last losses, in the order of the ids."""
    losses = {row["run_id"]: row for row in _of(store, LOSSES, runs).to_pylist()}
    found = {row["run_id"]: row for row in _of(store, RUNS, runs).to_pylist()}
    none = dict.fromkeys(("train_loss", "test_loss", "ood_loss"))
    return [none | found[run] | losses.get(run, {}) for run in runs if run in found]


def measures_of(store: Store, runs: Sequence[str]) -> list[str]:
    """What the runs have curves of, as `/curves` has it: accuracy, loss and weight norm first, `probe.metric` last. Of
    no runs none."""
    if not runs:
        return []
    names = {row["name"]: row["is_probe"] for row in _of(store, MEASURES, runs).to_pylist()}
    return sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), names[name], name))


def outcomes_of(store: Store, runs: Sequence[str]) -> pa.Table:
    """The rows of `outcomes` of these runs, each at the longest horizon that it has finished."""
    return _of(store, "from outcomes where run_id in ({runs})", runs)


def _of(store: Store, text: str, runs: Sequence[str]) -> pa.Table:
    """The answer about some runs. They stand in the query as constants, by which DuckDB passes over most of a table."""
    return store.sql(text.format(runs=", ".join(map(literal, runs)))).to_arrow_table()


def phases_of(outcomes: pa.Table, definitions: Iterable[Definition]) -> dict[str, dict[str, str]]:
    """The phase of each run in `outcomes` by definition: a definition reads nothing else. One that fails has none."""
    asked = [*definitions]
    selects = [f"select {literal(d.name)} as definition, run_id, phase from (\n{d.select}\n)" for d in asked]
    found: dict[str, dict[str, str]] = {definition.name: {} for definition in asked}
    try:
        rows = query("\nunion all\n".join(selects), {"outcomes": outcomes}).to_pylist()
    except QueryError:  # a text of a user's own fails on these runs
        return {} if len(asked) == 1 else found | {n: p for d in asked for n, p in phases_of(outcomes, [d]).items()}
    for row in rows:
        found[row["definition"]][row["run_id"]] = row["phase"]
    return found


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The values of a spec by dotted path."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    found = {}
    for name, inner in value.items():
        found |= flat(inner, f"{path}.{name}" if path else str(name))
    return found
