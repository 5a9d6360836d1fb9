"""What a worker does with a pack, without Ray: parts, checkpoints, and the same numbers however it is interrupted."""

import dataclasses
import errno
import itertools
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from study.plan.packing import PackPlan
from study.store.database import Store
from study.store.parts import Recorder, last_states
from study.train.worker import MAX_LOG, record_failure, train, watched
from tests.support.studies import MACHINE, make_plan, metrics, planned, settings, small, trained
from trainables import checkpoint
from trainables.schedule import evaluation_steps


class Killed(Exception):
    """The worker ends here."""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> list[tuple]:
    store = Store.open(tmp_path_factory.mktemp("undisturbed"), write=True)
    trained(small(), store, pack_size=8)
    return metrics(store)


def only_pack(store: Store, study: Any = None) -> PackPlan:
    [pack] = planned(study or small(), store, pack_size=8).packs
    return pack


def in_flight(store: Store, pack: PackPlan) -> Path:
    return store.path / "checkpoints/packs" / f"{pack.pack_id}.safetensors"


def train_until(pack: PackPlan, store: Store, num_heartbeats: int) -> None:
    """Train with a flush at every occasion, and die after so many heartbeats."""
    left = [num_heartbeats]

    def heartbeat(message: dict[str, Any]) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed

    with pytest.raises(Killed):
        train(pack, settings(store, flush_seconds=-1), "trial", heartbeat)


def finish(store: Store, pack: PackPlan) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    train(pack, settings(store), "trial", heard.append)
    store.ingest()
    return heard


def statuses(store: Store) -> list[tuple]:
    return store.sql("select distinct status, stop_reason, steps, error from runs").fetchall()


def test_a_pack_leaves_parts_a_checkpoint_per_run_and_nothing_in_flight(store):
    pack = only_pack(store)
    heard = finish(store, pack)
    assert statuses(store) == [("finished", "horizon", 60, None)]
    assert {path.stem for path in (store.path / "checkpoints/runs").iterdir()} == set(pack.run_ids)
    assert {checkpoint.load(path).step for path in (store.path / "checkpoints/runs").iterdir()} == {60}
    assert list((store.path / "checkpoints/packs").glob("*")) == []
    assert heard[0] == {"pack_id": pack.pack_id, "states": {}, "compiling": False}
    assert heard[-1]["states"] == dict.fromkeys(pack.run_ids, (60, "finished"))
    [(host, device, threads)] = store.sql("select distinct host, device, threads from attempts").fetchall()
    [(memory,)] = store.sql("select min(memory_bytes) from attempts").fetchall()
    assert 1e7 < memory < 1e11
    assert host
    assert (device, threads) == ("cpu", 1)


@pytest.mark.parametrize("num_heartbeats", [2, 3, 5, 8])
def test_a_pack_that_was_interrupted_ends_like_one_that_was_not(store, undisturbed, num_heartbeats):
    pack = only_pack(store)
    train_until(pack, store, num_heartbeats)
    assert in_flight(store, pack).exists()
    finish(store, pack)
    assert metrics(store) == undisturbed
    assert statuses(store) == [("finished", "horizon", 60, None)]
    assert store.sql("select distinct attempt from attempts order by 1").fetchall() == [(1,), (2,)]


def test_a_pack_may_flush_where_nothing_was_measured(store, tmp_path):
    """Evaluations are log-spaced: late in a run there are many flushes from one to the next."""
    study = small(horizon=1000, seeds=1, evaluations_per_decade=1)
    train_until(only_pack(store, study), store, 12)
    finish(store, only_pack(store, study))
    whole = Store.open(tmp_path / "whole", write=True)
    trained(study, whole, pack_size=8)
    assert metrics(store) == metrics(whole)


def test_a_new_plan_goes_on_where_an_interrupted_pack_stood(store, undisturbed):
    train_until(only_pack(store), store, 6)
    store.ingest()
    [pack] = make_plan(small(), store, MACHINE).packs
    assert pack.start_step > 0
    finish(store, pack)
    assert metrics(store) == undisturbed


def test_a_pack_split_into_smaller_ones_goes_on_from_the_state_of_the_large_one(store, undisturbed):
    train_until(only_pack(store), store, 6)
    plan = planned(small(), store, pack_size=3)
    assert len(plan.packs) == 3
    assert min(pack.start_step for pack in plan.packs) > 0
    for pack in plan.packs:
        finish(store, pack)
    assert [row[:4] for row in metrics(store)] == [row[:4] for row in undisturbed]
    values, expected = ([row[4] for row in rows] for rows in (metrics(store), undisturbed))
    assert values == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert statuses(store) == [("finished", "horizon", 60, None)]


@pytest.mark.parametrize("damage", ["torn", "empty", "garbage", "flipped", "zero tail"])
def test_a_state_in_flight_that_cannot_be_read_means_starting_over_with_the_same_numbers(store, undisturbed, damage):
    pack = only_pack(store)
    train_until(pack, store, 6)
    path = in_flight(store, pack)
    data = path.read_bytes()
    damages = {"torn": data[: len(data) // 2], "empty": b"", "garbage": b"\xff" * 999}
    flipped = data[:-500] + bytes([data[-500] ^ 64]) + data[-499:]  # a weight, or a slot of the optimizer
    path.write_bytes((damages | {"flipped": flipped, "zero tail": data[:-512] + bytes(512)})[damage])
    finish(store, pack)
    assert metrics(store) == undisturbed
    assert path.with_suffix(".torn").exists()


@pytest.mark.parametrize("change", ["shapes", "layout"])
def test_a_state_in_flight_of_another_model_is_set_aside_and_the_pack_starts_over(store, undisturbed, caplog, change):
    """A change of the model's code, say: its parameters have other shapes, or other names."""
    pack = only_pack(store)
    train_until(pack, store, 6)
    path = in_flight(store, pack)
    own = checkpoint.load(path)
    narrower = {name: tensor[:, :-16] if tensor.ndim > 1 else tensor for name, tensor in own.tensors.items()}
    changed = {"tensors": narrower} if change == "shapes" else {"layout": "another"}
    checkpoint.save(path, dataclasses.replace(own, **changed))
    heard: list[dict[str, Any]] = []
    watched(pack, settings(store), "trial", heard.append)
    assert not [message for message in heard if "error" in message]
    assert "of another model" in caplog.text
    store.ingest()
    assert metrics(store) == undisturbed
    assert path.with_suffix(".torn").exists()


def test_an_extension_whose_state_has_other_bytes_begins_from_the_beginning(store, tmp_path):
    trained(small(), store)
    [pack] = planned(small(horizon=90), store, pack_size=8).packs
    path = store.path / pack.checkpoints[3]
    data = path.read_bytes()
    path.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    finish(store, pack)
    assert store.sql("select distinct steps, status from runs").fetchall() == [(90, "finished")]
    assert path.with_suffix(".torn").exists()
    whole = Store.open(tmp_path / "whole", write=True)
    trained(small(horizon=90), whole, pack_size=8)
    rows = {row[:4]: row[4] for row in metrics(store)}
    assert all(rows[row[:4]] == pytest.approx(row[4], rel=1e-4, abs=1e-5) for row in metrics(whole))


def test_a_part_that_is_torn_is_made_again(store, undisturbed):
    pack = only_pack(store)
    finish(store, pack)
    last = max((store.path / "parts" / pack.pack_id).iterdir())
    last.write_bytes(last.read_bytes()[:-60])
    store.ingest(rebuild=True)
    [again] = make_plan(small(), store, MACHINE).packs
    finish(store, again)
    assert metrics(store) == undisturbed
    assert make_plan(small(), store, MACHINE).missing == 0


def test_a_run_that_an_earlier_try_has_finished_leaves_its_state_unused(store, monkeypatch):
    """Each run of an extension goes on from a state of its own; that of the finished one gives no run."""
    trained(small(), store)
    [pack] = planned(small(horizon=90), store, pack_size=8).packs
    assert (len(pack.checkpoints), pack.start_step) == (8, 60)
    ended = {"status": "finished", "stop_reason": "diverged", "steps": 70}
    monkeypatch.setattr("study.train.resume.last_states", lambda place, pack_id: {pack.run_ids[0]: ended})
    assert finish(store, pack)[0]["states"] == {pack.run_ids[0]: (90, "finished")}
    reached = dict(store.sql("select run_id, steps from runs").fetchall())
    assert [reached[run_id] for run_id in pack.run_ids] == [60, *[90] * 7]


def test_runs_whose_state_has_gone_since_it_was_planned_begin_from_the_beginning(store):
    trained(small(), store)
    [pack] = planned(small(horizon=90), store, pack_size=8).packs
    lost = dataclasses.replace(pack, checkpoints=pack.checkpoints[1:])
    finish(store, lost)
    assert store.sql("select distinct steps, status from runs").fetchall() == [(90, "finished")]


def test_a_worker_that_dies_between_its_last_part_and_its_last_word_has_nothing_left_to_do(store, undisturbed):
    pack = only_pack(store)
    train_until(pack, store, 6)
    store.ingest()
    [pack] = make_plan(small(), store, MACHINE).packs
    finish(store, pack)
    heard = finish(store, pack)
    states = dict.fromkeys(pack.run_ids, (60, "finished"))
    assert heard == [{"pack_id": pack.pack_id, "states": states, "compiling": False}]
    record_failure(pack, settings(store), "trial", "the worker died")
    store.ingest()
    assert metrics(store) == undisturbed
    assert statuses(store) == [("finished", "horizon", 60, None)]


def test_a_worker_that_dies_between_its_last_part_and_its_checkpoints_leaves_finished_runs(store, monkeypatch):
    """A full disk, say: the parts are the truth, so a failure recorded afterwards does not unmake them."""

    def full(path: Path, state: checkpoint.Checkpoint) -> None:
        raise OSError(28, "No space left on device")

    pack = only_pack(store)
    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(OSError, match="No space left"):
        finish(store, pack)
    record_failure(pack, settings(store), "trial", "No space left on device")
    store.ingest()
    assert statuses(store) == [("finished", "horizon", 60, None)]


LAST_PART = len(evaluation_steps(60, 8))
"""With a flush at every occasion there is one before each evaluation but the first, and one at the end."""


def without_part(number: int, write: Any) -> Any:
    """`Recorder.flush`, but that the worker dies where it should write this part."""
    numbers = itertools.count(1)

    def flush(recorder: Recorder, *rows: Any) -> str:
        if next(numbers) == number:
            raise Killed
        return write(recorder, *rows)

    return flush


def test_a_worker_that_dies_before_it_writes_a_part_has_no_checkpoint_beyond(tmp_path, undisturbed, subtests):
    """A checkpoint ahead of the parts would lose the rows between them for good."""
    for number in (1, 2, 9, LAST_PART):
        with subtests.test(number=number):
            store = Store.open(tmp_path / str(number), write=True)
            pack = only_pack(store)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(Recorder, "flush", without_part(number, Recorder.flush))
                with pytest.raises(Killed):
                    train(pack, settings(store, flush_seconds=-1), "trial", lambda message: None)
            store.ingest()
            recorded = {step for (step,) in store.sql("select distinct step from metrics").fetchall()}
            for path in (store.path / "checkpoints").rglob("*.safetensors"):
                reached = checkpoint.load(path).step
                assert {step for step in evaluation_steps(60, 8) if step <= reached} <= recorded, path
            finish(store, pack)
            assert metrics(store) == undisturbed
            assert statuses(store) == [("finished", "horizon", 60, None)]


def test_a_failure_is_on_record_for_the_runs_that_it_hit(store):
    pack = only_pack(store)
    train_until(pack, store, 5)
    record_failure(pack, settings(store), "trial", "RuntimeError: boom", log="Traceback\n" * 2000)
    store.ingest()
    [(log,)] = store.sql("select distinct log from attempts where error is not null").fetchall()
    assert (len(log), log.endswith("Traceback\n")) == (MAX_LOG, True)
    [(status, reason, steps, error)] = statuses(store)
    assert (status, reason, error) == ("failed", None, "RuntimeError: boom")
    assert steps > 0
    assert store.sql("select max(step) from metrics").fetchall() >= [(steps,)]


def test_a_failed_pack_is_trained_again_and_then_it_is_finished(store, undisturbed):
    pack = only_pack(store)
    train_until(pack, store, 5)
    record_failure(pack, settings(store), "trial", "boom")
    store.ingest()
    [again] = make_plan(small(), store, MACHINE).packs
    finish(store, again)
    assert statuses(store) == [("finished", "horizon", 60, None)]
    assert metrics(store) == undisturbed


def test_a_run_that_diverges_is_finished_and_not_tried_again_and_harms_no_other(store):
    study = small(axes={"optimizer.learning_rate": (0.01, 1e18)}, seeds=1)
    finish(store, only_pack(store, study))
    rows = store.sql("select learning_rate, status, stop_reason, steps from runs order by 1").fetchall()
    assert rows[0] == (0.01, "finished", "horizon", 60)
    assert rows[1][1:3] == ("finished", "diverged")
    assert rows[1][3] < 60
    assert make_plan(study, store, MACHINE).missing == 0
    assert make_plan(study.with_(horizon=90), store, MACHINE).missing == 1


def test_a_longer_horizon_gives_what_one_long_run_gives(store, tmp_path):
    trained(small(), store, pack_size=8)
    trained(small(horizon=150), store)
    whole = Store.open(tmp_path / "whole", write=True)
    trained(small(horizon=150), whole, pack_size=8)
    rows = {row[:4]: row[4] for row in metrics(store)}
    assert {row[:4] for row in metrics(whole)} <= set(rows)
    assert all(rows[row[:4]] == row[4] for row in metrics(whole))


def test_what_one_call_leaves_in_the_process_changes_nothing_in_the_next(store, tmp_path):
    """Workers are reused: two packs in one process, in both orders."""
    plan = planned(small(), store, pack_size=4)
    other = Store.open(tmp_path / "other", write=True)
    planned(small(), other, pack_size=4)
    for pack in plan.packs:
        finish(store, pack)
    for pack in reversed(plan.packs):
        finish(other, pack)
    assert metrics(store) == metrics(other)


def test_the_newest_state_of_a_run_is_that_of_its_last_readable_part(store):
    pack = only_pack(store)
    finish(store, pack)
    (store.path / "parts" / pack.pack_id / "0009-000001.parquet").write_bytes(b"torn")
    states = last_states(store.path, pack.pack_id)
    assert {state["status"] for state in states.values()} == {"finished"}
    assert last_states(store.path, "nowhere") == {}


HANGING = """
import ctypes, sys
import study.train.worker
from study.store.database import Store
from tests.support.studies import make_plan, settings, small

study.train.worker.train = lambda *rest: ctypes.PyDLL(None).sleep(3600)  # holds the GIL: no Python thread runs
[pack, *_] = make_plan(small(), None).packs
study.train.worker.watched(pack, settings(Store.open(sys.argv[1], write=True), hang_seconds=0.5), "t", print)
"""


def test_a_process_that_hangs_ends_even_where_no_python_runs(tmp_path):
    line = [sys.executable, "-c", HANGING, str(tmp_path / "store")]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[3])
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
    assert "sleep" not in ended.stdout


def test_what_ails_a_pack_is_raised_or_told_apart(store, monkeypatch):
    [pack, *_] = planned(small(), store).packs
    told: list[dict] = []
    for error, blame in (
        (RuntimeError("no luck\ntoday"), "pack"),
        (torch.OutOfMemoryError("CUDA out of memory"), "pack"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (OSError(errno.EIO, "Input/output error"), None),
        (torch.AcceleratorError("CUDA error: an illegal memory access"), None),
    ):
        monkeypatch.setattr("study.train.worker.train", Mock(side_effect=error))
        with pytest.raises(type(error)) if blame is None else nullcontext():
            watched(pack, settings(store), "t", told.append)
        assert [message["blame"] for message in told] == ([blame] if blame else [])
        assert all("\n" not in message["error"] for message in told)
        assert all(message["log"].rstrip().endswith(str(error).splitlines()[-1]) for message in told)
        told.clear()
