"""Train many runs of one shape as one batched model.

A run does not depend on its neighbours: weights, split and batches come from its own seeds, and every operation is
batched over runs. Runs leave the pack when they are done, and the pack is compacted. The engine knows neither Ray nor a
store: what it observes goes to `record`, one Flush at a time.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module

from trainables.checkpoint import Checkpoint
from trainables.compiler import Compiling
from trainables.device import resolve_device
from trainables.observation import DEFAULT, Observation, check_probes, probe_of
from trainables.pack import Pack
from trainables.precision import computing
from trainables.records import Flush, RunState
from trainables.session import Prune, Session
from trainables.spec import RunSpec
from trainables.stopwatch import Stopwatch

BLOCK_STEPS = 64
"""Steps between looks at the clock; batches are drawn for this many steps at a time."""


def train_pack(
    specs: Sequence[RunSpec],
    *,
    horizon: int,
    record: Callable[[Flush], None],
    observe: Observation = DEFAULT,
    checkpoint: Checkpoint | None = None,
    flush_seconds: float = 30.0,
    prune: Prune | None = None,
    device: str = "auto",
    compile: str = "auto",
    packs_alike: float = 1.0,
) -> list[RunState]:
    """Train runs that share a `pack_key` up to `horizon` steps and return their final states.

    Args:
        record: called with a Flush when runs leave, at the end, and about every `flush_seconds`. What it raises ends
            the training.
        observe: when runs are evaluated and looked into, and whether they leave when they have generalized.
        checkpoint: go on from here instead of from the beginning; it must hold every run of `specs`. CheckpointError,
            before anything is trained, where it is of another model.
        prune: asked at every evaluation, with the step and the test accuracies of the runs that would go on, which of
            them end here.
        device: `auto`, `cpu`, `cuda` or `cuda:1`.
        compile: `auto`, `on` or `off`.
        packs_alike: packs of this shape that this process will train: one compilation serves them all.
    """
    timer = Stopwatch("prepare")
    for spec in specs:
        check_probes(spec, observe.probes)
    evaluations, looks, snapshots = observe.evaluations(horizon), observe.looks(horizon), observe.snapshots(horizon)
    # torch 2.11: its first import leaves frames behind until the collector runs, with all that they hold; here little.
    import_module("torch._dynamo")
    compiling = Compiling(compile, packs_alike * horizon, packs_alike * len(evaluations))
    probes = [probe_of(name) for name in observe.probes]
    pack: Pack | None = None
    try:
        where = resolve_device(device)
        with computing(next((spec.precision for spec in specs), "float32"), where):
            examples = observe.examples(specs[0].batch_size) if specs else None
            pack = Pack(specs, where, compiling, examples, checkpoint, probes, timer)
            session = Session(pack, specs, horizon, record, observe, prune)
            timer.enter("train")
            after = pack.step if checkpoint else -1
            for target in sorted({step for step in {*evaluations, *looks, *snapshots} if step > after}):
                while pack.step < target:
                    # Before training on, not after: a checkpoint at an evaluation step must follow that evaluation.
                    if time.monotonic() - session.flushed_at > flush_seconds:
                        session.flush()
                    pack.train(min(BLOCK_STEPS, target - pack.step))
                session.look(with_probes=target in looks, keep=target in snapshots)
                session.evaluate()
                if not pack.run_ids:
                    break
        return list(session.states.values())
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # a step that ran out of memory holds the weights in its own
        raise
    finally:
        if pack is not None:
            pack.close()
