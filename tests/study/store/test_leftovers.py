"""Stop signs and outdone states of packs go; no state that a plan may want does."""

import os
import time

import pytest
import torch

from study.store import checkpoints
from study.store.leftovers import outdone, remove_leftovers
from study.store.storage import Storage, storage_at
from trainables.checkpoint import Checkpoint


@pytest.fixture
def storage(tmp_path) -> Storage:
    return storage_at(tmp_path)


def save(storage: Storage, name: str, step: int, *run_ids: str) -> str:
    checkpoints.save(storage, name, Checkpoint(list(run_ids), step, {"weights": torch.zeros(len(run_ids), 2)}))
    return name


def pack(storage: Storage, name: str, step: int, *run_ids: str) -> str:
    return save(storage, checkpoints.pack_state(name), step, *run_ids)


def run(storage: Storage, run_id: str, step: int) -> str:
    return save(storage, checkpoints.run_state(run_id), step, run_id)


def test_the_state_of_a_pack_goes_once_each_of_its_runs_has_a_later_one(storage):
    whole = pack(storage, "whole", 100, "a", "b", "c", "d")
    assert outdone(storage) == []
    pack(storage, "first", 150, "a", "b")
    assert outdone(storage) == [], "c and d have no other state"
    pack(storage, "second", 100, "c", "d")
    assert outdone(storage) == [], "not later"
    pack(storage, "second", 120, "d")
    assert outdone(storage) == [], "c has neither"
    run(storage, "c", 110)
    assert outdone(storage) == [whole]
    remove_leftovers(storage)
    assert not storage.exists(whole)
    assert outdone(storage) == []
    assert len(checkpoints.states_below(storage, "packs")) == 2


def test_of_two_states_at_one_step_none_goes(storage):
    pack(storage, "one", 100, "a", "b")
    pack(storage, "other", 100, "a", "b")
    remove_leftovers(storage)
    assert len(checkpoints.states_below(storage, "packs")) == 2


def test_a_state_that_cannot_be_read_neither_goes_nor_lets_another_go(storage):
    old, later = pack(storage, "old", 100, "a"), run(storage, "a", 200)
    whole = storage.read(later)
    storage.write(later, whole[:-1])
    assert outdone(storage) == []
    storage.write(later, whole)
    assert outdone(storage) == [old]
    storage.write(old, b"torn")
    assert outdone(storage) == []


def test_a_chain_of_halves_goes_but_for_its_end(storage):
    for step, name in enumerate(("whole", "half", "quarter"), 1):
        pack(storage, name, 10 * step, "a", "b")
    remove_leftovers(storage)
    assert checkpoints.states_below(storage, "packs") == [checkpoints.pack_state("quarter")]


def test_all_stop_signs_go(storage):
    for name in ("a", "b"):
        storage.write(checkpoints.stop_sign(name), b"")
    remove_leftovers(storage)
    assert list(storage.names(checkpoints.STOPPED)) == []


def test_what_a_killed_process_was_writing_goes_after_a_day(storage, tmp_path):
    storage.write("parts/pack/0001-000001.parquet", b"whole")
    folder = tmp_path / "parts/pack"
    old, young = ".0001-000002.parquet.0123456789ab.tmp", ".0001-000003.parquet.0123456789ac.tmp"
    foreign = {".mine.tmp", "x.tmp"}
    for name in {old, young} | foreign:
        (folder / name).write_bytes(b"half")
        if name != young:
            os.utime(folder / name, (time.time() - 90_000,) * 2)
    remove_leftovers(storage)
    assert {path.name for path in folder.iterdir()} == foreign | {young, "0001-000001.parquet"}
