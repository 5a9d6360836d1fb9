"""What only a GPU shows of data, batches, precision and captures: in `./tests/gpu`."""

import gc
import warnings
from dataclasses import replace

import pytest
import torch

from tests.support.runs import trained
from trainables import calibration
from trainables.batches import BatchOrder
from trainables.compiler import Compiling
from trainables.cuda_graph import Replay
from trainables.hashed_order import HashedOrder
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.pack import Pack
from trainables.spec import RunSpec
from trainables.tasks import modular

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
CPU, CUDA = torch.device("cpu"), torch.device("cuda")
BASE = RunSpec(task=modular.Task(p=97), model=transformer.Model(width=64), optimizer=adamw.Optimizer(), batch_size=256)


@pytest.mark.parametrize("kind", [BatchOrder, HashedOrder])
def test_batches_are_the_same_as_on_the_cpu(kind):
    seeds, counts = [3, 4, 5], [1000, 999, 517]
    for start in (0, 63, 1000):
        found = [kind(seeds, counts, 64, device).block(start, 20) for device in (CPU, CUDA)]
        assert torch.equal(found[0], found[1].cpu())


def test_runs_with_equal_data_take_its_memory_once():
    held = {}
    for name in ("one", "each"):
        specs = [replace(BASE, task=modular.Task(p=499), seed=s, data_seed=s * (name == "each")) for s in range(8)]
        gc.collect()
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        pack = Pack(specs, CUDA, Compiling("off"))
        held[name] = torch.cuda.memory_allocated() - before
        pack.close()
        gc.collect()
        assert torch.cuda.memory_allocated() <= before + (1 << 20), "all is given back"
    data = 499 * 499 * (3 + 1) * 8  # three tokens and an answer, 8 bytes each
    assert held["each"] - held["one"] > 6 * data


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_lower_precisions_learn_what_float32_learns(precision):
    runs = {p: [replace(BASE, precision=p, seed=seed) for seed in range(4)] for p in ("float32", precision)}
    found = {p: trained(specs, 200, device="cuda") for p, specs in runs.items()}
    for one, other in zip(*runs.values(), strict=True):
        losses = [found[spec.precision].series(spec.run_id, "train", "loss") for spec in (one, other)]
        assert losses[0][200] == pytest.approx(losses[1][200], rel=0.1)
        assert losses[0] != losses[1], "it rounds otherwise"
    assert torch.get_float32_matmul_precision() == "highest", "and the process goes on as it was"


def test_after_a_capture_that_fails_steps_run_plainly_and_memory_comes_back():
    counter, stream = torch.zeros((), device=CUDA), torch.cuda.current_stream()
    replay = Replay(CUDA)

    def step() -> None:
        counter.add_(1)
        if replay.warmups_left == 0 and torch.cuda.is_current_stream_capturing():
            counter.item()  # waits for the device, which a capture must not

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(10):
            replay(step)
    assert any("no CUDA graph" in str(warning.message) for warning in said)
    assert counter.item() == 10
    assert torch.cuda.current_stream() == stream
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    kept = torch.empty(1 << 24, device=CUDA)
    assert torch.cuda.memory_allocated() - before >= 1 << 26
    del kept
    assert torch.cuda.memory_allocated() == before
    later = Replay(CUDA)

    def add() -> None:
        counter.add_(1)

    for _ in range(6):
        later(add)
    assert later.graph is not None, "another one captures as before"
    assert counter.item() == 16


def test_a_gpu_is_measured():
    [(flops, runs), (more, fewer)] = calibration.best_packs(CUDA, "bfloat16", (32, 128), (1, 4, 16))
    assert flops < more
    assert {runs, fewer} <= {1, 4, 16}
    assert runs > 1, "a lone run of this size leaves a GPU idle"
