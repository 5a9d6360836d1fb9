"""Before any work: where nothing can be compiled, that is refused or said in one line."""

import re
from collections.abc import Callable

import pytest

from study.cli.doctor import checks
from study.plan.packing import Machine, Share
from study.sources import Sources
from study.store.database import Store
from study.store.lease import Lease
from study.store.storage import storage_at
from study.train import service
from study.train.cluster import Report, Target, smallest
from study.train.driver import look_around, only_driver, target_of
from study.train.machine import machine
from study.train.options import Options
from study.train.timings import CallTimer
from study.train.worker import Stopped, Work, record_failure, train
from tests.support.studies import make_plan, small
from trainables.errors import SpecError

MUCH = small(axes={"optimizer.weight_decay": (0.5, 1.0)}, seeds=4, horizon=10**7)
"""Work for which compiling pays."""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


@pytest.fixture
def no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", str(tmp_path / "no-such-compiler"))


def options(choice: str) -> Options:
    return Options(device="cpu", address="local", compile=choice)


def said_by_target(store: Store, choice: str) -> list[str]:
    said: list[str] = []
    with target_of(store, options(choice), Sources(), said.append, CallTimer()):
        pass
    return said


def test_two_stores_on_one_storage_have_one_driver(tmp_path):
    url = f"file://{tmp_path}/mount"
    stores = [Store.open(tmp_path / name, write=True, storage=url) for name in ("one", "other")]
    with only_driver(stores[0], pytest.fail) as lease:
        with pytest.raises(
            SpecError, match=rf"storage '{tmp_path}/mount': another `study run` is at work here \(process "
        ):
            service.run(small(), stores[1], options("off"), lambda line: None)
        lease.check()
    assert not (tmp_path / "mount/parts").exists(), "nothing was planned"


def test_a_driver_that_was_taken_over_from_hands_out_no_pack_and_records_no_failure(store, monkeypatch):
    def taken_over(next_work: Callable[[], Work | None], **options: object) -> None:
        pack, given = next_work()
        storage = storage_at(store.place)
        storage.delete(given.claim)
        monkeypatch.setattr(Lease, "_is_late", lambda self: True)
        before = sorted(storage.names("parts"))
        with pytest.raises(Stopped):
            train(pack, given, "trial", lambda message: None)
        with pytest.raises(Stopped):
            record_failure(pack, given, "trial", "boom")
        assert sorted(storage.names("parts")) == before
        next_work()

    monkeypatch.setattr("study.train.ray_tune.run_packs", taken_over)
    with pytest.raises(SpecError, match="has taken over"):
        service.run(small(), store, options("off"), lambda line: None)


def test_compile_on_without_a_compiler_is_refused_before_any_work(store, no_compiler, monkeypatch):
    monkeypatch.setattr(service, "train_through_ray", lambda *words, **more: pytest.fail("trained"))
    with pytest.raises(SpecError) as error:
        service.run(MUCH, store, options("on"), lambda line: None)
    assert re.fullmatch(
        r"--compile on: no C\+\+ compiler was found; install one \(Debian: apt-get install g\+\+\), or name yours in "
        r"CXX, or take --compile off\.",
        str(error.value),
    )
    assert store.sql("select count(*)::integer from runs").fetchall() == [(0,)]


def test_auto_says_once_that_nothing_is_compiled_and_off_says_nothing(store, no_compiler):
    [line] = said_by_target(store, "auto")
    assert line.startswith("no C++ compiler was found, packs train eagerly, some times slower; install one")
    assert said_by_target(store, "off") == []


def test_with_a_compiler_nothing_is_said(store, monkeypatch):
    monkeypatch.setenv("CXX", "sh")  # some program that is there
    assert said_by_target(store, "on") == said_by_target(store, "auto") == []


def test_a_plan_counts_on_compiled_steps_only_where_there_is_a_compiler(no_compiler, monkeypatch):
    without = make_plan(MUCH, None, machine("cpu"))
    monkeypatch.setenv("CXX", "sh")
    assert {pack.compiled for pack in without.packs} == {False}
    assert {pack.compiled for pack in make_plan(MUCH, None, machine("cpu")).packs} == {True}


def test_a_cluster_compiles_if_every_node_can(no_compiler, monkeypatch):
    without = Report(machine("cpu"))
    monkeypatch.setenv("CXX", "sh")
    both = [Report(machine("cpu")), without]
    assert smallest(both[:1], 2).compiler
    assert not smallest(both, 2).compiler
    assert not smallest(both[::-1], 2).compiler


def test_doctor_names_the_missing_compiler(tmp_path, no_compiler):
    [row] = [row for row in checks(tmp_path) if row["check"] == "compiler"]
    assert row["ok"] == "note"
    assert "--compile on is refused; install one (Debian: apt-get install g++)" in row["found"]


@pytest.mark.parametrize(("gpu", "daemon", "told"), [(0.5, False, True), (0.5, True, False), (1.0, False, False)])
def test_packs_that_share_a_gpu_without_mps_take_turns_and_that_is_said(tmp_path, monkeypatch, gpu, daemon, told):
    (tmp_path / "mps").mkdir() if daemon else None
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path / "mps"))
    said: list[str] = []
    look_around(Target(Machine("cuda", 2, 1e9), Share(gpu=gpu)), "auto", said.append)
    assert [line.startswith("packs that share a GPU take turns on it") for line in said] == [True] * told
