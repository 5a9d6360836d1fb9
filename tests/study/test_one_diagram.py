"""A study that is extended, interrupted, extended again, pruned and run with more seeds: at its first horizon the
diagram of the first runs never changes. Real training, without Ray."""

from dataclasses import replace

import pytest

from study.plan.extend import chosen_runs
from study.plan.plan import plan_runs, planned_runs
from study.plan.write import write
from study.spec import StudySpec
from study.store.database import Store
from study.train.worker import train
from tests.support.studies import MACHINE, make_plan, settings, small, trained

FIRST = 60


def diagram(store: Store, study: StudySpec) -> list[tuple]:
    """The outcome and phases of each of the study's first runs at the first horizon."""
    ids = [run.run_id for run in planned_runs(study)]
    scoped = store.of(study.name, FIRST)
    listed = ", ".join(f"'{run_id}'" for run_id in ids)
    outcomes = scoped.sql(f"select * from outcomes where run_id in ({listed}) order by run_id").fetchall()
    phases = scoped.sql(f"select * from phases where run_id in ({listed}) order by all").fetchall()
    curves = scoped.sql(f"select * from curves where run_id in ({listed}) order by run_id, step").fetchall()
    return [outcomes, phases, curves]


class Interrupted(Exception):
    """Stands for a machine that goes away."""


def extended(store: Store, study: StudySpec, horizon: int, heartbeats: int | None = None) -> None:
    """Every second run up to a longer horizon; the pack dies after so many heartbeats."""
    longer = study.with_(horizon=horizon)
    plan = plan_runs(longer, chosen_runs(store, longer, None)[::2], store, MACHINE)
    assert plan.packs
    write(plan, store)
    left = [heartbeats]

    def heartbeat(message: object) -> None:
        if left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                raise Interrupted

    for pack in plan.packs:
        if heartbeats is None:
            train(pack, settings(store, flush_seconds=0.0), "trial", heartbeat)
        else:
            with pytest.raises(Interrupted):
                train(pack, settings(store, flush_seconds=0.0), "trial", heartbeat)
    store.ingest()


def test_the_diagram_at_the_first_horizon_never_changes(tmp_path):
    study, store = small(horizon=FIRST), Store.open(tmp_path, write=True)
    trained(study, store)
    before = diagram(store, study)
    assert len(before[0]) == 8

    extended(store, study, 400, heartbeats=2)
    [(furthest,)] = store.sql("select max(step) from curves").fetchall()
    assert FIRST < furthest < 400, "the extension was under way"
    assert diagram(store, study) == before
    assert plan_runs(study, planned_runs(study), store, MACHINE).missing == 0

    extended(store, study, 400)
    assert store.sql("select max(step) from curves").fetchall() == [(400,)]
    assert diagram(store, study) == before

    longest = study.with_(horizon=800)
    plan = make_plan(longest, store, pruning=True)
    write(plan, store)
    for pack in plan.packs:
        train(pack, settings(store, prune_in="rungs"), "trial", lambda message: None)
    store.ingest()
    assert "pruned" in dict(store.sql("select stop_reason, count(*) from runs group by 1").fetchall())
    assert diagram(store, study) == before

    more = replace(study, seeds=3)
    trained(more, store)
    assert diagram(store, study) == before
    assert store.of("small", FIRST).sql("select count(*)::integer from outcomes").fetchall() == [(12,)]

    store.ingest(rebuild=True)
    assert diagram(store, study) == before
