"""States in a storage: each appears whole, durably, or not at all, and nothing is lost where a write fails."""

import errno
import os
from pathlib import Path

import pytest
import torch

from study.store import checkpoints
from study.store.folder import Folder
from tests.support.disk import small_disk
from trainables import checkpoint
from trainables.checkpoint import Checkpoint

NAME = checkpoints.pack_state("p")


def state(step: int, numbers: int = 4) -> Checkpoint:
    return Checkpoint(["a"], step, {"weights": torch.full((1, numbers), float(step))})


def files(storage: Folder) -> list[str]:
    return [path.name for path in (storage.root / "checkpoints/packs").iterdir()]


def test_a_write_that_fails_leaves_the_old_state_and_nothing_else(tmp_path, monkeypatch):
    storage = Folder(tmp_path)
    checkpoints.save(storage, NAME, state(1))

    def disk_full(tensors, path, metadata):
        Path(path).write_bytes(b"half of i")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", disk_full)
    for name in (NAME, checkpoints.pack_state("q")):
        with pytest.raises(OSError, match="No space"):
            checkpoints.save(storage, name, state(2))
    assert files(storage) == ["p.safetensors"]
    assert checkpoints.load(storage, NAME).step == 1


def test_a_full_disk_is_a_fault_of_the_disk_and_leaves_the_old_state(tmp_path):
    with small_disk(tmp_path, 200) as folder:
        storage = Folder(folder)
        checkpoints.save(storage, NAME, state(1))
        with pytest.raises(OSError, match="No space left") as caught:
            checkpoints.save(storage, NAME, state(2, numbers=100_000))
        assert caught.value.errno == errno.ENOSPC
        assert checkpoints.load(storage, NAME).step == 1
        assert files(storage) == ["p.safetensors"]


def test_a_state_is_on_the_disk_before_it_has_its_name_and_its_name_is_too(tmp_path, monkeypatch):
    """Without it a power cut leaves a name without its bytes. The order of calls is what can be seen from here."""
    storage, calls = Folder(tmp_path), []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{handle}")).name
        calls.append(("sync", "draft" if name.startswith(".p.safetensors") else name))
        fsync(handle)

    def renamed(source: Path, target: Path) -> None:
        calls.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    checkpoints.save(storage, NAME, state(1))
    assert calls == [
        ("sync", "checkpoints"), ("sync", tmp_path.name),
        ("sync", "draft"), ("rename", "p.safetensors"), ("sync", "packs"),
    ]  # fmt: skip


def test_a_state_that_is_set_aside_is_kept_and_may_be_set_aside_twice(tmp_path):
    storage = Folder(tmp_path)
    checkpoints.save(storage, NAME, state(1))
    for _ in range(2):
        checkpoints.set_torn_aside(storage, NAME)
    assert files(storage) == ["p.torn"]
    assert checkpoints.states_below(storage, "packs") == []
