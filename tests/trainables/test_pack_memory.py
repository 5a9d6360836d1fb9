"""What packs leave behind, and what they copy: a worker trains many of them on one device, one after the other."""

import gc
import weakref
from dataclasses import replace

import pytest
import torch

from tests.support.runs import mlp_run, transformer_run
from trainables import engine
from trainables.compiler import Compiling
from trainables.engine import train_pack
from trainables.pack import Pack

KINDS = {
    "mlp": [mlp_run(seed=seed) for seed in range(3)],
    "batches": [transformer_run(seed=seed) for seed in range(3)],
    "all data first": [replace(mlp_run(seed=seed), full_data_steps=5) for seed in range(3)],
}


@pytest.mark.parametrize("compile", ["off", "on"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pack_gives_back_its_memory_when_it_ends_and_not_when_the_collector_runs(kind, compile, monkeypatch):
    held: list[weakref.ref] = []

    class Seen(Pack):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # pyright: ignore[reportArgumentType]
            splits = [self.training.split, *self.evaluation.splits.values()]
            tensors = [*self.tensors.values(), *(split.inputs_DNL for split in splits)]
            held.extend(weakref.ref(tensor.untyped_storage()) for tensor in tensors)
            held.append(weakref.ref(self.replay))

    monkeypatch.setattr(engine, "Pack", Seen)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            train_pack(KINDS[kind], horizon=12, record=lambda flush: None, device="cpu", compile=compile)
            assert len(held) > 5
            assert [ref() for ref in held if ref()] == []
    finally:
        gc.enable()


@pytest.mark.parametrize("where", ["making", "a step"])
def test_a_pack_gives_back_its_memory_when_it_fails(monkeypatch, where):
    """Whoever keeps the error, its traceback and its frames, keeps no pack."""
    held: list[weakref.ref] = []

    class Failing(Pack):
        def _compile(self, *given: object) -> None:
            held.extend(weakref.ref(tensor.untyped_storage()) for tensor in self.tensors.values())
            if where == "making":
                raise torch.OutOfMemoryError("CUDA out of memory")
            super()._compile(*given)  # pyright: ignore[reportArgumentType]
            self.train_step = fail

    def fail(weights_RW: torch.Tensor, *given: object) -> None:
        more = weights_RW * 2
        held.append(weakref.ref(more.untyped_storage()))
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engine, "Pack", Failing)
    with pytest.raises(torch.OutOfMemoryError) as kept:
        train_pack(KINDS["mlp"], horizon=12, record=lambda flush: None, device="cpu", compile="off")
    assert kept.value.__traceback__ is not None
    assert len(held) == (3 if where == "making" else 4)
    assert [ref() for ref in held if ref()] == []


def test_a_pack_is_in_no_cycle():
    pack = Pack(KINDS["mlp"], torch.device("cpu"), Compiling("off"))
    pack.train(5)
    pack.evaluate()
    seen = weakref.ref(pack)
    gc.collect()
    gc.disable()
    try:
        del pack
        assert seen() is None
    finally:
        gc.enable()


def test_a_run_that_leaves_takes_its_own_state_alone():
    pack = Pack(KINDS["mlp"], torch.device("cpu"), Compiling("off"))
    pack.train(3)
    whole = pack.checkpoint()
    pack.keep([0, 2])
    own = pack.checkpoint([1])
    assert (own.run_ids, own.step) == ([whole.run_ids[2]], 3)
    for name, tensor in own.tensors.items():
        assert tensor.shape[0] == 1
        assert tensor.untyped_storage().nbytes() == tensor.nbytes
        assert torch.equal(tensor[0], whole.tensors[name][2])


def test_only_those_who_leave_are_copied(monkeypatch):
    copied: list[list[str]] = []
    take = Pack.checkpoint

    def checkpoint(self, *positions):
        taken = take(self, *positions)
        copied.append(taken.run_ids)
        return taken

    monkeypatch.setattr(Pack, "checkpoint", checkpoint)
    wild = mlp_run(learning_rate=1e8, weight_decay=0, seed=7)
    specs = [*(mlp_run(seed=seed) for seed in range(3)), wild]
    train_pack(specs, horizon=30, record=lambda flush: None, device="cpu", compile="off", flush_seconds=float("inf"))
    assert [wild.run_id] in copied
    assert {len(run_ids) for run_ids in copied[copied.index([wild.run_id]) :]} == {1, 3}


def data_of(pack: Pack) -> set[int]:
    """Where the examples are that a pack trains on and is evaluated on."""
    splits = [pack.training.split, *pack.evaluation.splits.values()]
    tensors = [*(split.inputs_DNL for split in splits), pack.training.inputs]
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


@pytest.mark.parametrize("limit", [None, 10])
def test_the_training_split_is_there_once(limit):
    pack = Pack(KINDS["batches"], torch.device("cpu"), Compiling("off"), limit)
    assert len(data_of(pack)) == len(pack.evaluation.splits) == 2
    assert pack.evaluation.splits["train"].size == (limit or pack.training.split.size)


def test_equal_data_are_there_once_also_after_some_runs_have_left():
    specs = [replace(transformer_run(seed=seed), data_seed=seed % 2) for seed in range(8)]
    pack = Pack(specs, torch.device("cpu"), Compiling("off"))
    assert len(pack.training.split.inputs_DNL) == 2
    assert pack.training.split.data_of_R.tolist() == [0, 1] * 4
    alone = [Pack([spec], torch.device("cpu"), Compiling("off")) for spec in specs]
    for kept, num_data in ((range(8), 2), ([1, 2, 5], 2), ([1], 1)):
        pack.keep([*kept])
        assert {len(split.inputs_DNL) for split in pack.evaluation.splits.values()} == {num_data}
        assert len(data_of(pack)) == 2, "train and test, each once"
        pack.train(10)
        values = pack.evaluate()
        for i, run_id in enumerate(pack.run_ids):
            [single] = (own for own in alone if own.run_ids == [run_id])
            single.train(10)
            for name, value_R in single.evaluate().items():
                assert values[name][i] == pytest.approx(value_R[0], rel=1e-4, abs=1e-5)


def test_tasks_that_differ_in_a_field_have_data_of_their_own():
    specs = [mlp_run(seed=seed, data_seed=0, fraction=fraction) for seed in range(2) for fraction in (0.5, 0.7)]
    pack = Pack(specs, torch.device("cpu"), Compiling("off"))
    assert pack.training.split.data_of_R.tolist() == [0, 1, 0, 1]
    assert len(pack.training.inputs) == 4, "a step on all examples has each run's own"
    assert pack.training.split.counts_R.tolist() == [spec.task.num_train for spec in specs]
