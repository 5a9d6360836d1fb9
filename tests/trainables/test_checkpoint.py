"""Checkpoints: what is saved comes back, what is not a checkpoint is refused, and nothing is ever half written."""

import errno
import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
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
    checkpoint.save(tmp_path / "x.safetensors", before)
    after = checkpoint.load(tmp_path / "x.safetensors")
    assert (after.run_ids, after.step) == (before.run_ids, before.step)
    assert after.tensors["generalized_at"].equal(before.tensors["generalized_at"])
    assert after.tensors["weights"].view(torch.int32).equal(before.tensors["weights"].view(torch.int32))
    assert about(tmp_path / "x.safetensors") == (["a", "b", "c"], 7)


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


def change_at(data: bytes, place: int, mask: int) -> bytes:
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


def test_a_byte_that_changed_anywhere_is_refused_or_changes_nothing(tmp_path):
    """Spaces at the end of a header are what may become other white space."""
    path, before = tmp_path / "x", state()
    checkpoint.save(path, before)
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        for mask in (1 << place % 8, 0xFF):
            path.write_bytes(change_at(whole, place, mask))
            try:
                after = checkpoint.load(path)
            except CheckpointError:
                refused += 1
            else:
                assert same(after, before), place
    assert refused > 1.9 * len(whole)


def test_a_tail_of_zeros_as_a_power_cut_leaves_it_is_refused(tmp_path):
    path = tmp_path / "x"
    checkpoint.save(path, state())
    whole = path.read_bytes()
    path.write_bytes(whole[:-8] + bytes(8))
    with pytest.raises(CheckpointError, match="not those that were written"):
        checkpoint.load(path)


def test_a_header_that_says_another_step_is_refused_before_any_tensor_is_read(tmp_path):
    path = tmp_path / "x"
    checkpoint.save(path, state(step=7))
    path.write_bytes(path.read_bytes().replace(b'"step":"7"', b'"step":"9"'))
    with pytest.raises(CheckpointError, match="header is not as it was written"):
        about(path)


def test_a_file_of_format_1_is_read_as_it_is(tmp_path):
    path, before = tmp_path / "x", state()
    save_file(before.tensors, path, metadata={"format": "1", "step": "7", "run_ids": json.dumps(before.run_ids)})
    after = checkpoint.load(path)
    assert same(after, before)
    after.check_fits(before.tensors, "any layout")


def test_a_state_of_another_model_does_not_fit():
    weights, since = torch.zeros(3, 4), torch.zeros(3, dtype=torch.int64)
    mine = Checkpoint(["a", "b", "c"], 7, {"weights": weights, "generalized_at": since}, "this")
    mine.check_fits({"weights": weights[:1], "generalized_at": since[:1]}, "this")
    for other, layout in (
        ({"weights": weights[:, :3], "generalized_at": since}, "this"),
        ({"weights": weights.double(), "generalized_at": since}, "this"),
        ({"weights": weights, "momentum": weights, "generalized_at": since}, "this"),
        ({"weights": weights, "generalized_at": since}, "that"),
    ):
        with pytest.raises(CheckpointError, match="of another model"):
            mine.check_fits(other, layout)


def test_a_disk_that_is_full_is_an_os_error_with_its_number(tmp_path, monkeypatch):
    def disk_full(*rest, **options):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", disk_full)
    with pytest.raises(OSError, match="No space left") as caught:
        checkpoint.save(tmp_path / "x", state())
    assert caught.value.errno == errno.ENOSPC
