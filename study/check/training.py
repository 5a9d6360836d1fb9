"""Runs of a part in packs, as a study trains them: alone and beside others, in batches, stopped and continued,
compiled, on CUDA, and how long a step takes.
"""

# R runs, W weights

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

import torch

from study.check.case import apart, same
from study.check.row import Check, Skipped, Wrong, outcome, require
from trainables.checkpoint import Checkpoint
from trainables.compiler import INSTALL, Compiling, find_compiler
from trainables.engine import train_pack
from trainables.observation import Observation
from trainables.pack import Pack
from trainables.parts import is_own
from trainables.records import Flush
from trainables.spec import RunSpec

STEPS = 10
BATCH = 16
MOST_EXAMPLES = 4096
"""Training examples up to which a full batch is tried."""
TIMED_RUNS, TIMED_SECONDS = 8, 0.5
OBSERVE = Observation(evaluations_per_decade=1, evaluation_examples=256)
LIMITS = {"rtol": 1e-3, "atol": 1e-4}
"""How far weights and losses after a few steps may be apart by the order of sums in floats."""


MOST_OFF = 0.02
"""The same for the weights of a run, as a share of the way that they have come."""
MEND = "a run must not depend on its neighbours. See the rows of its model and its optimizer."


def checks(runs: Sequence[RunSpec]) -> Iterator[Check]:
    """All checks of three runs of one shape."""
    for name, check in CHECKS.items():
        yield outcome(name, check, runs)


def seeded(spec: RunSpec, count: int = 3) -> list[RunSpec]:
    """The run with so many seeds."""
    return [dataclasses.replace(spec, seed=seed, data_seed=seed) for seed in range(count)]


def full_batch(runs: Sequence[RunSpec]) -> str:
    """Runs on all examples at once train in a pack as they do alone."""
    num_train = runs[0].task.num_train
    if num_train > MOST_EXAMPLES:
        raise Skipped(f"{num_train:,} training examples are too many for a quick look")
    return _alone_and_together([dataclasses.replace(run, batch_size=None) for run in runs])


def minibatch(runs: Sequence[RunSpec]) -> str:
    """Likewise in batches."""
    batch_size = _batch_size(runs)
    return f"batches of {batch_size}: {_alone_and_together(_in_batches(runs))}"


def continued(runs: Sequence[RunSpec]) -> str:
    """A run that is stopped and goes on from its checkpoint ends where one ends that was not stopped."""
    runs = _in_batches(runs)
    _, straight = trained(runs, 2 * STEPS)
    _, half = trained(runs, STEPS)
    _, whole = trained(runs, 2 * STEPS, half)
    for name, tensor in straight.tensors.items():
        if not same(whole.tensors[name], tensor, rtol=1e-5, atol=1e-6):
            off = apart(whole.tensors[name], tensor)
            raise Wrong(
                f"after {STEPS} steps, a checkpoint and {STEPS} more, {name} is {off:.2g} "
                f"from {2 * STEPS} steps at once: keep no state but parameters and the optimizer's slots."
            )
    return f"{STEPS} + {STEPS} steps are {2 * STEPS}"


def compiled(runs: Sequence[RunSpec]) -> str:
    """`torch.compile` gives the same steps."""
    if all(is_own(type(part)) for part in (runs[0].model, runs[0].optimizer)):
        raise Skipped("model and optimizer are of this package, whose tests compile them")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if not find_compiler(device):
        raise Skipped(f"no compiler here: {INSTALL}")
    return _same_elsewhere(_in_batches(runs)[:2], lambda runs: _pack(runs, device, "on"), "compiled")


def on_cuda(runs: Sequence[RunSpec]) -> str:
    """A GPU gives the same steps."""
    if not torch.cuda.is_available():
        raise Skipped("no CUDA device here")
    return _same_elsewhere(_in_batches(runs), lambda runs: _pack(runs, "cuda"), "on CUDA")


def cost(runs: Sequence[RunSpec]) -> str:
    """Time of a step of each run, in a pack of `TIMED_RUNS` that is not compiled."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pack = _pack(seeded(_in_batches(runs)[0], TIMED_RUNS), device)
    pack.train(3)
    pack.checkpoint()  # waits for a GPU
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < TIMED_SECONDS:
        pack.train(STEPS)
        steps += STEPS
    pack.checkpoint()
    took = (time.perf_counter() - began) / steps / TIMED_RUNS
    about = f"{_batch_size(runs)} examples, {TIMED_RUNS} runs in a pack, {device}"
    return f"{took * 1e6:.0f} microseconds per run and step ({about})"


CHECKS: dict[str, Callable[[Sequence[RunSpec]], str]] = {
    "full batch": full_batch,
    "minibatch": minibatch,
    "continue": continued,
    "compiled": compiled,
    "CUDA": on_cuda,
    "cost": cost,
}


def trained(
    runs: Sequence[RunSpec], horizon: int, checkpoint: Checkpoint | None = None
) -> tuple[dict[tuple[str, str, int], float], Checkpoint]:
    """Losses by run, split and step, and the last states, on the CPU and not compiled."""
    flushes: list[Flush] = []
    options = {"device": "cpu", "compile": "off", "observe": OBSERVE}
    train_pack(runs, horizon=horizon, record=flushes.append, checkpoint=checkpoint, **options)
    losses = {}
    for flush in flushes:
        columns = (list(flush.metrics[name]) for name in ("run_id", "split", "step", "metric", "value"))
        rows = zip(*columns, strict=True)
        losses |= {(r, str(split), int(step)): float(v) for r, split, step, metric, v in rows if metric == "loss"}
    left = {state.run_ids[0]: state for flush in flushes for state in flush.left}
    ended = [left[run.run_id] for run in runs]
    tensors = {name: torch.cat([state.tensors[name] for state in ended]) for name in ended[0].tensors}
    steps = {state.step for state in ended}
    require(steps == {horizon}, f"the loss is not finite after {min(steps)} steps: take a smaller learning rate.")
    return losses, Checkpoint([run.run_id for run in runs], horizon, tensors)


def _alone_and_together(runs: Sequence[RunSpec]) -> str:
    (together, beside), (_, start) = trained(runs, STEPS), trained(runs, 0)
    for row, run in enumerate(runs):
        losses, alone = trained([run], STEPS)
        for key, loss in losses.items():
            if abs(loss - together[key]) > LIMITS["atol"] + LIMITS["rtol"] * abs(loss):
                _, split, step = key
                raise Wrong(
                    f"the {split} loss of seed {run.seed} at step {step} is {loss:.6g} alone and {together[key]:.6g} "
                    f"in a pack of {len(runs)}: {MEND}"
                )
        way = float((alone.tensors["weights"][0] - start.tensors["weights"][row]).norm())
        off = float((alone.tensors["weights"][0] - beside.tensors["weights"][row]).norm())
        require(
            off <= MOST_OFF * way + LIMITS["atol"],
            f"in a pack of {len(runs)} the weights of seed {run.seed} are {off:.2g} from those alone after {STEPS} "
            f"steps, in which they moved by {way:.2g}: {MEND}",
        )
    return f"{STEPS} steps alone are those in a pack of {len(runs)}"


def _same_elsewhere(runs: Sequence[RunSpec], make: Callable[[Sequence[RunSpec]], Pack], where: str) -> str:
    here, there = _pack(runs), make(runs)
    for pack in (here, there):
        pack.train(3)
    a, b = (pack.checkpoint().tensors["weights"] for pack in (here, there))
    require(
        same(a, b, **LIMITS),
        f"weights after 3 steps {where} are {apart(a, b):.2g} from those on the CPU, not compiled.",
    )
    return f"weights after 3 steps differ by {apart(a, b):.1g} at most"


def _pack(runs: Sequence[RunSpec], device: str = "cpu", compile: str = "off") -> Pack:
    return Pack(runs, torch.device(device), Compiling(compile), OBSERVE.evaluation_examples)


def _batch_size(runs: Sequence[RunSpec]) -> int:
    return runs[0].batch_size or max(1, min(BATCH, runs[0].task.num_train // 2))


def _in_batches(runs: Sequence[RunSpec]) -> list[RunSpec]:
    return [dataclasses.replace(run, batch_size=_batch_size(runs)) for run in runs]
