"""Mechanistic probes on states that are on disk: the snapshots of a study's runs, and their last checkpoints."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from study.plan import PlannedRun, planned_runs
from study.recorder import write_probes
from study.spec import StudySpec
from study.store import Store
from study.trial import snapshots_of
from trainables import checkpoint
from trainables.engine import resolve_device
from trainables.errors import SpecError
from trainables.examine import NUM_EXAMPLES, check_probes, columns, examine

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
    runs = planned_runs(study)
    for run in runs:
        check_probes(run.spec, names)
    if count < 1:
        raise SpecError(f"--examples must be 1 or larger, got {count}.")
    states = [(run, step, path) for run in runs for step, path in dict(_states(run, store)).items()]
    if not states:
        raise SpecError(f"study {study.name!r} has no saved states in {store.path}: train it with `study run` first.")
    store.ingest()
    seen = set(store.sql("select distinct run_id, step, probe from probes").fetchall())
    target = resolve_device(device)
    for done, (run, step, path) in enumerate(states, 1):
        missing = [name for name in names if (run.run_id, step, name) not in seen]
        if missing:
            weights_W = checkpoint.load(path).select([run.run_id]).tensors["weights"][0].to(target)
            findings = examine(run.spec, weights_W, missing, count)
            write_probes(store.path, f"{run.run_id}-{step}-{'-'.join(missing)}", columns(run.run_id, step, findings))
        say(f"{study.name}: {done}/{len(states)} states looked into")
    store.ingest()
    return len(states)


def _states(run: PlannedRun, store: Store) -> Iterator[tuple[int, Path]]:
    """Steps and files of all states of one run; a torn file is passed over."""
    last = store.path / "checkpoints" / "runs" / f"{run.run_id}.safetensors"
    for path in [*snapshots_of(store.path, run.run_id), last]:
        try:
            yield checkpoint.about(path)[1], path
        except checkpoint.CheckpointError:
            continue
