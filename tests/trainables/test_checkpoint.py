"""Checkpoints: what is saved comes back, what is not a checkpoint is refused, and nothing is ever half written."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainables import checkpoint
from trainables.checkpoint import Checkpoint, CheckpointError


def state(run_ids: str = "abc", step: int = 7) -> Checkpoint:
    count = len(run_ids)
    weights = torch.arange(count * 4, dtype=torch.float32).view(count, 4)
    return Checkpoint(list(run_ids), step, {"weights": weights, "generalized_at": torch.arange(count) - 1})


def same(a: Checkpoint, b: Checkpoint) -> bool:
    equal = a.tensors.keys() == b.tensors.keys() and all(a.tensors[k].equal(b.tensors[k]) for k in a.tensors)
    return equal and (a.run_ids, a.step) == (b.run_ids, b.step)


def about(path: Path) -> tuple[list[str], int]:
    with path.open("rb") as file:
        return checkpoint.about(file)


def test_what_is_saved_comes_back_bit_for_bit(tmp_path):
    before = state()
    before.tensors["weights"][0] = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])
    checkpoint.save(tmp_path / "new" / "folder" / "x.safetensors", before)
    after = checkpoint.load(tmp_path / "new" / "folder" / "x.safetensors")
    assert (after.run_ids, after.step) == (before.run_ids, before.step)
    assert after.tensors["generalized_at"].equal(before.tensors["generalized_at"])
    assert after.tensors["weights"].view(torch.int32).equal(before.tensors["weights"].view(torch.int32))
    assert about(tmp_path / "new" / "folder" / "x.safetensors") == (["a", "b", "c"], 7)


def test_views_and_transposes_are_saved_as_they_look(tmp_path):
    matrix = torch.arange(12.0).view(3, 4)
    checkpoint.save(tmp_path / "x", Checkpoint(["a", "b"], 0, {"weights": matrix.T[:2]}))
    assert checkpoint.load(tmp_path / "x").tensors["weights"].equal(matrix.T[:2])


def test_select_takes_runs_in_the_order_asked_for_and_copies_them():
    whole = state()
    part = whole.select(["c", "a"])
    assert part.run_ids == ["c", "a"]
    assert part.step == whole.step
    assert part.tensors["weights"].equal(whole.tensors["weights"][[2, 0]])
    part.tensors["weights"].zero_()
    assert same(whole, state())


def test_select_of_no_run_is_a_checkpoint_of_none():
    nothing = state().select([])
    assert (nothing.run_ids, nothing.step) == ([], 7)
    assert {name: tuple(tensor.shape) for name, tensor in nothing.tensors.items()} == {
        "weights": (0, 4), "generalized_at": (0,),
    }  # fmt: skip
    assert same(checkpoint.joined([nothing, state()]), state())


def test_select_of_a_run_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError):
        state().select(["a", "z"])


def test_joined_puts_back_what_select_took_apart():
    whole = state()
    assert same(checkpoint.joined([whole.select(["a"]), whole.select(["b", "c"])]), whole)


def test_joining_different_steps_is_a_mistake_of_ours():
    with pytest.raises(AssertionError):
        checkpoint.joined([state("a", step=1), state("b", step=2)])


def write_pickle(path: Path) -> None:
    torch.save({"weights": torch.zeros(1)}, path)


def write_foreign(path: Path) -> None:
    save_file({"weights": torch.zeros(1)}, path)


def write_huggingface(path: Path) -> None:
    save_file({"weights": torch.zeros(1)}, path, metadata={"format": "pt"})


def write_older_format(path: Path) -> None:
    save_file({"weights": torch.zeros(1)}, path, metadata={"format": "0", "run_ids": json.dumps(["a"]), "step": "1"})


def write_without_step(path: Path) -> None:
    save_file({"weights": torch.zeros(1)}, path, metadata={"format": "1", "run_ids": json.dumps(["a"])})


def write_bad_step(path: Path) -> None:
    save_file({"weights": torch.zeros(1)}, path, metadata={"format": "1", "run_ids": json.dumps(["a"]), "step": "?"})


def write_bad_run_ids(path: Path) -> None:
    save_file({"weights": torch.zeros(1)}, path, metadata={"format": "1", "run_ids": "[", "step": "1"})


def write_nothing(path: Path) -> None:
    path.touch()


def write_garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def write_folder(path: Path) -> None:
    path.mkdir()


def write_no_file(path: Path) -> None:
    pass


WRITERS = [value for name, value in sorted(globals().items()) if name.startswith("write_")]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__.removeprefix("write_"))
def test_what_is_no_checkpoint_of_ours_is_a_checkpoint_error_with_its_path(tmp_path, write):
    path = tmp_path / "x.safetensors"
    write(path)
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        checkpoint.load(path)
    if path.is_file():
        with pytest.raises(CheckpointError, match="no usable checkpoint"):
            about(path)


def test_a_file_cut_short_anywhere_is_a_checkpoint_error(tmp_path):
    path = tmp_path / "x"
    checkpoint.save(path, state())
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        for read in (checkpoint.load, about):
            with pytest.raises(CheckpointError):
                read(path)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_no_pickle_is_ever_executed(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError):
        checkpoint.load(path)
    torch.save(Bomb(), path)
    with pytest.raises(CheckpointError):
        checkpoint.load(path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "x"
    checkpoint.save(path, state(step=1))

    def disk_full(tensors, neighbour, metadata):
        Path(neighbour).write_bytes(b"half of i")
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", disk_full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, state(step=2))
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path / "y", state())
    assert [file.name for file in tmp_path.iterdir()] == ["x"]
    assert checkpoint.load(path).step == 1


def test_a_reader_sees_the_old_state_until_the_rename(tmp_path, monkeypatch):
    path = tmp_path / "x"
    checkpoint.save(path, state(step=1))
    seen, replace = [], checkpoint.os.replace

    def watching(source, target):
        seen.append(checkpoint.load(path).step)
        replace(source, target)

    monkeypatch.setattr(checkpoint.os, "replace", watching)
    checkpoint.save(path, state(step=2))
    assert [*seen, checkpoint.load(path).step] == [1, 2]
