"""The step of a study's first pack is compiled while Ray starts."""

import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from torch._dynamo.utils import counters

from study.plan.packing import PackPlan
from study.sources import Sources
from study.store.database import Store
from study.train import ahead, service
from study.train.ahead import compiled_ahead
from study.train.worker import Settings
from tests.support.studies import make_plan, settings, small
from tests.support.without_ray import OPTIONS, without_ray
from trainables import compiler
from trainables.engine import train_pack


@pytest.fixture
def pack() -> PackPlan:
    return replace(make_plan(small(), None).packs[0], compiled=True)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    return settings(Store.open(tmp_path / "store", write=True), compile="auto")


def test_nothing_is_compiled_ahead_that_is_not_compiled_or_was_before(pack, asked, monkeypatch):
    monkeypatch.setattr(ahead.subprocess, "Popen", lambda *words, **options: pytest.fail("compiles"))
    own = replace(asked, sources=Sources(modules=("my_model",)))
    for one, how, memory in (
        (replace(pack, compiled=False), asked, 1e9),
        (pack, replace(asked, compile="off"), 1e9),
        (pack, replace(asked, device="cuda"), 1e9),
        (pack, own, 1e9),
        (pack, asked, 1.9 * pack.bytes),
    ):
        with compiled_ahead(one, how, memory):
            pass
    shape = f"step {compiler.shape_of(pack.specs)}"
    with pytest.raises(ValueError, match="no step"), compiler._one_at_a_time(shape):
        raise ValueError("no step")
    assert not compiler.was_compiled(shape)
    with compiler._one_at_a_time(shape) as lock:
        lock.with_suffix(".done").touch()
    assert compiler.was_compiled(shape)
    with compiled_ahead(pack, asked, 1e9):
        pass


def test_a_study_on_this_machine_has_its_first_pack_compiled_ahead(tmp_path, monkeypatch):
    asked = []

    @contextmanager
    def noted(pack, settings, memory):
        asked.append(pack.pack_id)
        yield

    monkeypatch.setattr("study.train.service.compiled_ahead", noted)
    with without_ray():
        plan = service.run(small(), Store.open(tmp_path, write=True), OPTIONS, lambda said: None)
    assert plan.missing == 0
    assert asked == [make_plan(small(), None, pack_size=4).packs[0].pack_id]


def test_the_process_ends_with_the_study(pack, asked, monkeypatch):
    begun = []
    real = subprocess.Popen
    monkeypatch.setattr(ahead.subprocess, "Popen", lambda *words, **how: begun.append(real(*words, **how)) or begun[0])
    with pytest.raises(KeyboardInterrupt), compiled_ahead(pack, replace(asked, compile="on"), 1e9):
        raise KeyboardInterrupt
    assert begun[0].returncode is not None


@pytest.mark.slow
def test_a_worker_finds_all_that_it_would_compile_itself(pack, asked):
    asked = replace(asked, compile="on")
    folder = Path(compiler.os.environ["TORCHINDUCTOR_CACHE_DIR"])
    with compiled_ahead(pack, asked, 1e9):
        until, found = time.monotonic() + 120, -1
        while (files := len(list(folder.rglob("*")))) != found or files < 20:  # until nothing comes any more
            assert time.monotonic() < until
            found = files
            time.sleep(10)
    counters.clear()
    train_pack(
        pack.specs,
        horizon=pack.horizon,
        record=lambda flush: None,
        observe=asked.observe,
        device="cpu",
        compile="on",
        packs_alike=pack.packs_alike,
    )
    assert counters["inductor"]["fxgraph_cache_miss"] == 0
    assert counters["inductor"]["fxgraph_cache_hit"] >= 2
