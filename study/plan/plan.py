"""What a study asks for, minus what the store has, is what is left to do.

That one subtraction is dry run, resume, retry, extension of a grid, and sharing of runs between studies.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from study.plan.done import is_done
from study.plan.known import checkpoints_of, known_runs, tries_of
from study.plan.packing import Machine, PackPlan, make_packs
from study.spec import Point, StudySpec
from study.store.database import Store
from trainables.errors import SpecError
from trainables.spec import RunSpec

MOST_RUNS = 1_000_000
"""Of one plan: so many specs take five minutes to make, and as many gigabytes."""


@dataclass(frozen=True)
class PlannedRun:
    """One run of a study: its spec and the point it belongs to."""

    run_id: str
    spec: RunSpec
    point: Point


@dataclass(frozen=True)
class Plan:
    """All runs of a study, the ids of those that the store has, and the packs that train the rest."""

    study: StudySpec
    runs: Sequence[PlannedRun]
    finished: frozenset[str]
    packs: Sequence[PackPlan]
    anew: frozenset[str] = frozenset()
    """Ids of those of the missing that the store has from an older source."""

    @property
    def missing(self) -> int:
        """Number of runs that are still to train."""
        return len(self.runs) - len(self.finished)


def planned_runs(study: StudySpec, limit: int | None = None) -> list[PlannedRun]:
    """The study's runs, each once, seed by seed so that a first part of them covers the whole map; at most `limit`.

    SpecError for none, and for more than MOST_RUNS."""
    runs: dict[str, PlannedRun] = {}
    points = study.points()
    if min(len(points) * study.seeds, limit or math.inf) > MOST_RUNS:
        raise SpecError(
            f"study {study.name!r} asks for {len(points):,} points x {study.seeds:,} seeds: more than {MOST_RUNS:,} "
            f"runs cannot be planned at once. Give it fewer --seeds, or take its first --runs N."
        )
    for seed in range(study.seeds):
        for point in points:
            if limit is not None and len(runs) >= limit:
                return list(runs.values())
            spec = study.run(point, seed)
            runs.setdefault(spec.run_id, PlannedRun(spec.run_id, spec, point))
    if not runs:
        raise SpecError(f"study {study.name!r} has no runs: give it at least one point and one seed.")
    return list(runs.values())


def plan_runs(
    study: StudySpec,
    runs: Sequence[PlannedRun],
    store: Store | None,
    machine: Machine,
    pack_size: int | None = None,
    all_runs: int | None = None,
    pruning: bool = False,
    retrain: Callable[[RunSpec], str | None] | None = None,
) -> Plan:
    """The plan of these runs of a study on this machine; no store has no runs.

    `pack_size` None keeps the packs of an earlier plan and sizes new ones; `all_runs` is the number of runs in the end,
    where more follow; `pruning` counts those that were pruned as finished. `retrain` gives the digest of a run's
    source: runs that the store has from another one begin anew, in packs of their own.
    """
    known = known_runs(store, study.name, [run.run_id for run in runs]) if store else {}
    leaving = study.leave_when_generalized
    anew = {r.run_id: found for r in runs if retrain and (found := _anew(r, known.get(r.run_id), retrain))}
    done = (r.run_id for r in runs if is_done(known.get(r.run_id), study.horizon, pruning, leaving))
    finished = frozenset(run_id for run_id in done if run_id not in anew)
    kept = {} if pack_size else {run_id: row["pack_id"] for run_id, row in known.items() if row["pack_id"]}
    assigned = {run_id: pack_id for run_id, pack_id in kept.items() if run_id not in anew}
    attempts = {run_id: dict(row["attempts"] or {}) for run_id, row in known.items()}
    specs = {r.run_id: r.spec for r in runs if r.run_id not in finished and not r.spec.absent}
    going_on = {run_id: spec for run_id, spec in specs.items() if run_id not in anew}
    checkpoints = checkpoints_of(store, going_on, study.horizon) if store else {}
    following = max(1.0, (all_runs or 0) / max(1, len(runs)))
    shapes = {key: number * following for key, number in Counter(r.spec.pack_key for r in runs).items()}
    packs = make_packs(specs, study.horizon, machine, pack_size, assigned, attempts, checkpoints, shapes, anew)
    tries = tries_of(store, {pack.pack_id for pack in packs}) if store else {}
    packs = [replace(pack, tries=tries.get(pack.pack_id, 0)) for pack in packs]
    return Plan(study, runs, finished, packs, frozenset(anew))


def _anew(run: PlannedRun, row: Mapping[str, Any] | None, digest_of: Callable[[RunSpec], str | None]) -> str | None:
    """The digest of the source with which a run begins anew; None for a run that is of this source, or new."""
    digest = digest_of(run.spec)
    return digest if row is not None and row["attempts"] and row["source"] != digest else None
