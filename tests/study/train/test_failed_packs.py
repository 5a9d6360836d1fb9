"""A pack that cannot be trained comes back in halves, which go on from where it was, with the runs that are left."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from study.plan.packing import PackPlan
from study.plan.plan import planned_runs
from study.store import checkpoints
from study.store.database import Store
from study.store.leftovers import outdone, remove_leftovers
from study.store.storage import storage_at
from study.train import service, watch
from study.train.failed_packs import Limits, Split, splitter
from study.train.pack_searcher import PackSearcher
from study.train.ray_tune import Watcher
from study.train.service import Options
from study.train.worker import Settings, train
from tests.support.studies import MACHINE, planned, settings, small, study_file
from trainables.compiler import compiled
from trainables.errors import MEMORY_ERRORS

STUDY = small(axes={"optimizer.weight_decay": (0.0, 0.5, 1.0, 2.0)}, seeds=2, horizon=60)


class Killed(Exception):
    """The worker ends here."""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


def split_of(store: Store, pruning: bool = False) -> Split:
    return splitter(STUDY, {run.run_id: run for run in planned_runs(STUDY)}, store, MACHINE, pruning)


def only_pack(store: Store) -> PackPlan:
    [pack] = planned(STUDY, store, pack_size=8).packs
    return pack


def train_until_runs_are_pruned(pack: PackPlan, given: Settings) -> tuple[set[str], int]:
    """Train and die at the flush in which the first runs are pruned: those, and the step."""
    said: list[dict[str, Any]] = []

    def heartbeat(message: dict[str, Any]) -> None:
        said.append(message)
        if any(status == "finished" for _, status in message["states"].values()):
            raise Killed

    with pytest.raises(Killed):
        train(pack, given, "trial", heartbeat)
    states = said[-1]["states"]
    [step] = {steps for steps, _ in states.values()}
    return {run_id for run_id, (_, status) in states.items() if status == "finished"}, step


def test_the_halves_hold_every_run_once_and_go_on_from_the_state_of_the_whole(store):
    pack, left = only_pack(store), iter(range(8))

    def heartbeat(message: dict[str, Any]) -> None:
        if next(left) == 7:
            raise Killed

    with pytest.raises(Killed):
        train(pack, settings(store, flush_seconds=-1), "trial", heartbeat)
    halves = split_of(store)(pack, 4)
    assert [len(half.run_ids) for half in halves] == [4, 4]
    assert sorted(run_id for half in halves for run_id in half.run_ids) == sorted(pack.run_ids)
    assert {half.start_step > 0 for half in halves} == {True}
    assert pack.pack_id not in {half.pack_id for half in halves}


def test_the_state_of_the_whole_goes_once_both_halves_have_gone_on(store):
    pack, storage = only_pack(store), storage_at(store.place)

    def train_until(flushes: int, work: PackPlan) -> None:
        left = iter(range(flushes + 1))

        def heartbeat(message: dict[str, Any]) -> None:
            if next(left) == flushes:
                raise Killed

        with pytest.raises(Killed):
            train(work, settings(store, flush_seconds=-1), "trial", heartbeat)

    train_until(7, pack)
    halves = split_of(store)(pack, 4)
    assert outdone(storage) == []
    train_until(2, halves[0])
    assert outdone(storage) == [], "the other half has no state of its own"
    train(halves[1], settings(store), "trial", lambda message: None)
    assert outdone(storage) == [checkpoints.pack_state(pack.pack_id)]
    remove_leftovers(storage)
    [again] = planned(STUDY, store).packs
    assert again.start_step > 0
    assert sorted(again.run_ids) == sorted(halves[0].run_ids)
    train(again, settings(store), "trial", lambda message: None)
    store.ingest()
    assert store.sql("select status, count(*)::integer from runs group by 1").fetchall() == [("finished", 8)]
    assert checkpoints.states_below(storage, "packs") == []


def test_a_run_alone_has_no_halves(store):
    alone = planned(STUDY, store, pack_size=1).packs[0]
    assert split_of(store)(alone, 1) == []


def test_while_a_reader_keeps_the_store_nothing_is_planned(store, monkeypatch):
    pack = only_pack(store)
    monkeypatch.setattr(Store, "ingest", lambda self, **options: SimpleNamespace(busy="somebody reads"))
    assert split_of(store)(pack, 4) == []


@pytest.mark.parametrize(
    ("error", "sizes"),
    [
        ("OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.", [2, 2, 2, 2]),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory", [2, 2, 2, 2]),
        ("RuntimeError: DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes", [2, 2, 2, 2]),
        ("MemoryError: ", [2, 2, 2, 2]),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)", [2, 2, 2, 2]),
        ("ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.", [2, 2, 2, 2]),
        ("IndexError: index 7 is out of bounds", [2, 2, 4]),
    ],
)
def test_after_want_of_memory_waiting_packs_of_the_shape_shrink_too(store, error, sizes):
    """Ray Tune's place is taken by calls of its callbacks: the first pack fails, and the others are asked for."""
    packs = iter(planned(STUDY, store, pack_size=4).packs)
    given = settings(store)
    searcher = PackSearcher(lambda: (pack, given) if (pack := next(packs, None)) else None, split_of(store))
    watcher = Watcher(searcher, split_of(store), heard=pytest.fail, check_interrupt=lambda: None)
    trial = SimpleNamespace(trial_id="a", config=searcher.suggest("a"))
    failed = trial.config["pack"]
    watcher._failed(trial, error, log="")
    searcher.on_trial_complete("a", error=True)
    later = [searcher.suggest(name)["pack"] for name in map(str, range(len(sizes)))]
    assert [len(pack.run_ids) for pack in later] == sizes
    ids = [run_id for pack in later for run_id in pack.run_ids]
    assert sorted(ids) == sorted(run.run_id for run in planned_runs(STUDY))
    assert {run_id for pack in later[:2] for run_id in pack.run_ids} == set(failed.run_ids)


def test_a_pack_of_another_shape_stays_whole(store):
    study = STUDY.with_(seeds=1)
    mine, other = (planned(study, store, pack_size=4).packs[0] for _ in range(2))
    other = dataclasses.replace(
        other, specs=[spec.with_values({"model.width": 99}) for spec in other.specs], pack_id="other"
    )
    limits = Limits()
    limits.learn(mine, "MemoryError")
    assert limits.pieces(other, pytest.fail) == [other]
    assert [len(piece.run_ids) for piece in limits.pieces(mine, split_of(store))] == [2, 2]
    limits.learn(limits.pieces(mine, split_of(store))[0], "MemoryError")
    assert [len(piece.run_ids) for piece in limits.pieces(mine, split_of(store))] == [1, 1, 1, 1]


def test_runs_that_were_pruned_stay_out_of_the_halves_where_runs_are_pruned(store):
    pack = only_pack(store)
    pruned, step = train_until_runs_are_pruned(pack, settings(store, prune_in="rungs"))
    assert 0 < len(pruned) < 8
    halves = split_of(store, pruning=True)(pack, 4)
    assert sorted(run_id for half in halves for run_id in half.run_ids) == sorted(set(pack.run_ids) - pruned)
    again = split_of(store, pruning=False)(pack, 4)
    assert sorted(run_id for half in again for run_id in half.run_ids) == sorted(pack.run_ids)
    assert {half.start_step for half in [*halves, *again]} == {step}


def test_a_call_that_prunes_prunes_in_halves_too(store, tmp_path, monkeypatch, subtests):
    """`study run --prune asha` and `--watch` give Ray a function that splits a pack without its pruned runs."""

    def fail(next_work: Any, store: Store, target: Any, *, split: Split, **rest: Any) -> None:
        pack, given = next_work()
        pruned, _ = train_until_runs_are_pruned(pack, given)
        ids = [run_id for half in split(pack, 4) for run_id in half.run_ids]
        assert sorted(ids) == sorted(set(pack.run_ids) - pruned)
        tried.append(pack.pack_id)

    tried: list[str] = []
    options = Options(pack_size=8, compile="off", device="cpu", prune="asha")
    with subtests.test("run"):
        monkeypatch.setattr(service, "train_through_ray", fail)
        service.run(STUDY, store, options, lambda line: None)
    with subtests.test("watch"):
        (tmp_path / "folder").mkdir()
        study_file(tmp_path / "folder", "watched", axes=STUDY.axes, seeds=2)
        other = Store.open(tmp_path / "other", write=True)
        queue = watch.Queue(tmp_path / "folder", other, MACHINE, options, lambda line: None)
        queue.look()
        fail(queue.next_work, other, None, split=queue.split)
    assert len(tried) == 2


def test_want_of_memory_in_a_compiled_graph_is_known_as_such():
    for choice in ("on", "auto"):
        product = compiled(lambda x: (x @ x.T).sum(), choice, pays=True)
        with pytest.raises(RuntimeError) as raised:
            product(torch.ones(8_000_000, 1))  # 256 TB, more than there are addresses
        assert MEMORY_ERRORS.search(str(raised.value)), raised.value
        assert product(torch.ones(10, 1)).item() == 100
