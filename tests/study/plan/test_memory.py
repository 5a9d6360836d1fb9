"""The memory that `study plan` prints is near what a pack takes."""

import dataclasses

import pytest
import torch

from study.cli.study_text import pack_rows
from study.plan.packing import pack_bytes
from tests.support.memory import Memory
from tests.support.studies import MACHINE, make_plan, small
from trainables.compiler import Compiling
from trainables.models import decoder, gpt2, mlp, transformer
from trainables.optimizers import adamw, muon, sgd
from trainables.pack import Pack
from trainables.spec import RunSpec
from trainables.tasks import composition, linear_regression, modular

MODULAR = modular.Task(p=41)
DEPTHS = (1, 2, 4, 8)
RUNS = {f"transformer of depth {n}": RunSpec(task=MODULAR, model=transformer.Model(layers=n, width=32),
                                             optimizer=adamw.Optimizer()) for n in DEPTHS}  # fmt: skip
RUNS |= {f"gpt2 of depth {n}": RunSpec(task=MODULAR, model=gpt2.Model(layers=n, width=32, heads=4),
                                       optimizer=adamw.Optimizer(), batch_size=256) for n in DEPTHS}  # fmt: skip
RUNS |= {f"decoder of depth {n}": RunSpec(task=MODULAR, model=decoder.Model(layers=n), optimizer=sgd.Optimizer())
         for n in DEPTHS}  # fmt: skip
RUNS["mlp"] = RunSpec(task=MODULAR, model=mlp.Model(), optimizer=adamw.Optimizer(), loss="mse")
RUNS["weights"] = RunSpec(
    task=MODULAR, model=transformer.Model(width=256), optimizer=muon.Optimizer(), batch_size=8
)  # next to nothing else
RUNS["many tokens"] = RunSpec(
    task=linear_regression.Task(), model=transformer.Model(layers=2, width=32, norm="rms"),
    optimizer=adamw.Optimizer(), loss="mse", batch_size=64,
)  # fmt: skip
RUNS["facts"] = RunSpec(
    task=composition.Task(entities=30, relations=8, out_degree=4, ratio=2.0),
    model=gpt2.Model(layers=2, width=32, heads=4), optimizer=adamw.Optimizer(), batch_size=64,
)  # fmt: skip


def measured(specs: list[RunSpec]) -> int:
    with Memory() as memory:
        Pack(specs, torch.device("cpu"), Compiling("off")).train(2)
    return memory.peak


@pytest.mark.parametrize("equal_data", [True, False], ids=["equal data", "own data"])
@pytest.mark.parametrize("spec", RUNS.values(), ids=RUNS)
def test_a_pack_takes_what_is_said_of_it(spec, equal_data):
    runs = [dataclasses.replace(spec, seed=seed, data_seed=0 if equal_data else seed) for seed in range(3)]
    assert pack_bytes(runs) == pytest.approx(measured(runs), rel=0.3)


def test_each_row_of_a_plan_has_the_memory_of_its_own_depth():
    base = RunSpec(task=MODULAR, model=transformer.Model(width=32), optimizer=adamw.Optimizer())
    plan = make_plan(small(base=base, axes={"model.layers": DEPTHS}, seeds=2, horizon=10), None, MACHINE, pack_size=2)
    rows = pack_rows(plan)
    assert [row["layers"] for row in rows] == list(DEPTHS)
    for row, pack in zip(rows, sorted(plan.packs, key=lambda pack: pack.specs[0].model.layers), strict=True):
        assert row["memory MB"] == pytest.approx(measured(pack.specs) / 1e6, rel=0.3, abs=0.5)
