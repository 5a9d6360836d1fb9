"""Mechanistic probes on states that are on disk: the snapshots of a study's runs, and their last checkpoints."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from study.plan.plan import PlannedRun
from study.plan.stored import check_here, runs_of
from study.spec import StudySpec
from study.store.checkpoints import load, readable, states_below
from study.store.database import Store
from study.store.parts import write_probes
from study.store.storage import storage_at
from trainables.device import resolve_device
from trainables.errors import SpecError
from trainables.examine import NUM_EXAMPLES, columns, examine
from trainables.observation import check_probes

DEFAULT = ("logit_lens", "causal_tracing")


def probe(
    study: StudySpec,
    store: Store,
    names: Sequence[str] = DEFAULT,
    *,
    device: str = "auto",
    count: int = NUM_EXAMPLES,
    say: Callable[[str], None] = lambda line: None,
) -> int:
    """Look into every saved state that these probes have not seen yet, bring the findings into the store and return how
    many states there were; SpecError if the study has none."""
    store.ingest()
    check_here(study)
    runs = runs_of(study, store)
    for run in runs:
        check_probes(run.spec, names)
    if count < 1:
        raise SpecError(f"--examples must be 1 or larger, got {count}.")
    states = _states(runs, store)
    if not states:
        raise SpecError(f"study {study.name!r} has no saved states in {store.place}: train it with `study run` first.")
    seen = set(store.sql("select distinct run_id, step, probe from probes").fetchall())
    target, storage = resolve_device(device), storage_at(store.place)
    for done, (run, step, name) in enumerate(states, 1):
        missing = [name for name in names if (run.run_id, step, name) not in seen]
        if missing:
            weights_W = load(storage, name).select([run.run_id]).tensors["weights"][0].to(target)
            findings = examine(run.spec, weights_W, missing, count)
            write_probes(store.place, f"{run.run_id}-{step}-{'-'.join(missing)}", columns(run.run_id, step, findings))
        say(f"{study.name}: {done}/{len(states)} states looked into")
    store.ingest()
    return len(states)


def _states(runs: Sequence[PlannedRun], store: Store) -> list[tuple[PlannedRun, int, str]]:
    """The states of each run with their steps and names, one for a step; torn ones are passed over."""
    storage = storage_at(store.place)
    run_of = {name: PurePosixPath(name).parent.name for name in states_below(storage, "snapshots")}
    run_of |= {name: PurePosixPath(name).stem for name in states_below(storage, "runs")}
    by_id = {run.run_id: run for run in runs}
    known = readable(storage, [name for name, run_id in run_of.items() if run_id in by_id])
    places = {(run_of[name], step): name for name, (_, step) in known.items()}
    return [(by_id[run_id], step, name) for (run_id, step), name in sorted(places.items())]
