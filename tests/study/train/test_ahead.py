"""The step of a study's first pack is compiled while Ray starts."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from torch._dynamo.utils import counters

from study.plan.packing import PackPlan
from study.store.database import Store
from study.train import ahead
from study.train.ahead import compiled_ahead
from study.train.worker import Settings
from tests.support.studies import make_plan, settings, small
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
    for one, how in ((replace(pack, compiled=False), asked), (pack, replace(asked, compile="off"))):
        with compiled_ahead(one, how):
            pass
    shape = pack.specs[0].pack_key
    assert not compiler.was_compiled(shape)
    with compiler._one_at_a_time(shape):
        pass
    assert compiler.was_compiled(shape)
    with compiled_ahead(pack, asked):
        pass


def test_the_process_ends_with_the_study(pack, asked, monkeypatch):
    begun = []
    real = subprocess.Popen
    monkeypatch.setattr(ahead.subprocess, "Popen", lambda *words, **how: begun.append(real(*words, **how)) or begun[0])
    with pytest.raises(KeyboardInterrupt), compiled_ahead(pack, replace(asked, compile="on")):
        raise KeyboardInterrupt
    assert begun[0].returncode is not None


@pytest.mark.slow
def test_a_worker_finds_all_that_it_would_compile_itself(pack, asked):
    asked = replace(asked, compile="on")
    folder = Path(compiler.os.environ["TORCHINDUCTOR_CACHE_DIR"])
    with compiled_ahead(pack, asked):
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
