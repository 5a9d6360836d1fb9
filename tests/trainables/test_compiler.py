"""What is compiled, and what happens where nothing can be."""

import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch._dynamo.exc import BackendCompilerFailed
from torch._dynamo.utils import counters

from tests.support.runs import mlp_run, trained, transformer_run
from trainables import compiler
from trainables.compiler import compiled, keep_compiled
from trainables.errors import SpecError

ROOT = Path(__file__).parents[2]


def test_unknown_choices_of_compiling_are_refused():
    with pytest.raises(SpecError, match="compile must be one of auto, on, off, got 'yes'"):
        trained([mlp_run()], 1, compile="yes")


def test_small_work_is_not_compiled(monkeypatch):
    monkeypatch.setattr(compiler.torch, "compile", lambda *args, **options: pytest.fail("compiled"))
    trained([mlp_run()], 5, compile="auto")


def test_a_process_compiles_for_many_shapes_of_packs(monkeypatch):
    real = torch.compile
    monkeypatch.setattr(compiler.torch, "compile", lambda f, **options: real(f, backend="eager", **options))

    def make(shape: str):
        return lambda x: x * len(shape)

    counters.clear()
    for length in range(20):
        assert compiled(make("x" * length), "on", pays=False)(torch.ones(2)).tolist() == [length] * 2
    assert counters["stats"]["unique_graphs"] == 20
    assert not counters["unimplemented"]
    torch._dynamo.reset()


def test_all_splits_and_chunks_are_evaluated_in_one_shape(monkeypatch):
    shapes = set()

    def kept(function, **options):
        def call(*args):
            if function.__name__ == "call":  # evaluation's; a step has no return value
                shapes.add(tuple(args[1].shape))
            return function(*args)

        return call

    monkeypatch.setattr(compiler.torch, "compile", kept)
    spec = transformer_run()
    trained([spec], 2, compile="on")
    assert len({len(split.targets_N) for split in spec.task.build(spec.data_seed).values()}) > 1
    assert len(shapes) == 1


def test_a_failure_to_compile_falls_back_once_and_for_all(monkeypatch):
    calls = []

    def broken(function, **options):
        def fail(*args):
            calls.append(function)
            raise RuntimeError("no compiler\nand more lines")

        return fail

    monkeypatch.setattr(compiler.torch, "compile", broken)
    monkeypatch.setattr(compiler, "_unavailable", False)
    double, triple = compiled(lambda x: 2 * x, "auto", pays=True), compiled(lambda x: 3 * x, "auto", pays=True)
    with pytest.warns(UserWarning, match=r"runs eagerly \(no compiler\)\.$"):
        assert double(2) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [double(3), triple(2), triple(3)] == [6, 6, 9]
    assert len(calls) == 2
    later = compiled(lambda x: 4 * x, "auto", pays=True)
    assert later(2) == 8
    assert len(calls) == 2
    with pytest.raises(RuntimeError, match="no compiler"):
        compiled(lambda x: x, "on", pays=False)(1)


def test_a_failure_to_compile_for_another_size_later_falls_back_too(monkeypatch):
    """A pack that is compacted compiles again, hours after it has begun."""

    def compiles_once(function, **options):
        def call(x):
            if len(x) > 2:
                raise BackendCompilerFailed(lambda: None, RuntimeError("no space left"), inspect.currentframe())
            return function(x)

        return call

    monkeypatch.setattr(compiler.torch, "compile", compiles_once)
    monkeypatch.setattr(compiler, "_unavailable", False)
    double = compiled(lambda x: [2 * value for value in x], "auto", pays=True)
    assert double([1]) == [2]
    with pytest.warns(UserWarning, match="runs eagerly"):
        assert double([1, 2, 3]) == [2, 4, 6]
    assert double([1, 2, 3]) == [2, 4, 6]


def test_an_error_of_what_was_compiled_is_no_failure_to_compile(monkeypatch):
    """It may come after half of the step's changes."""
    calls = []

    def step(x):
        calls.append(x)
        if x > 1:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(compiler.torch, "compile", lambda function, **options: function)
    fast = compiled(step, "auto", pays=True)
    fast(1)
    with pytest.raises(RuntimeError, match="illegal memory"):
        fast(2)
    assert calls == [1, 2]


def test_a_step_is_not_taken_twice_where_nobody_can_be_told_that_it_is_compiled(monkeypatch):
    """A step changes weights in place, and the disk may be full."""
    calls = []

    def full(path, *args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiler.torch, "compile", lambda function, **options: function)
    monkeypatch.setattr(compiler.Path, "touch", full)
    step = compiled(calls.append, "auto", pays=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(1)
        step(2)
    assert calls == [1, 2]


def test_processes_compile_one_shape_one_after_the_other_and_different_ones_at_the_same_time(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    code = """
import sys, time
from trainables.compiler import _one_at_a_time
with _one_at_a_time(sys.argv[1]):
    print("has it", flush=True)
    time.sleep(float(sys.argv[2]))
"""

    def begun(shape: str, seconds: float) -> subprocess.Popen:
        line = [sys.executable, "-c", code, shape, str(seconds)]
        return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    with begun("a", 600) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "has it\n"
        with begun("b", 0) as other:
            assert other.communicate()[0] == "has it\n"
        with begun("a", 0) as second:
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(4)
            first.kill()
            assert second.communicate()[0] == "has it\n"


def test_running_out_of_memory_is_not_mistaken_for_a_missing_compiler(monkeypatch):
    def out_of_memory(*args):
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(compiler.torch, "compile", lambda function, **options: out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        compiled(lambda x: x, "auto", pays=True)(1)


@pytest.mark.slow
def test_without_a_compiler_training_goes_on_eagerly_and_says_so_once(tmp_path):
    code = """
import warnings
from tests.support.runs import mlp_run, trained
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for seed in (0, 2):
        record = trained([mlp_run(seed=seed), mlp_run(seed=seed + 1)], 12, compile="auto", packs_alike=1e12)
        assert {state.stop_reason for state in record.states.values()} == {"horizon"}
print([str(w.message)[:34] for w in caught if "torch.compile is not" in str(w.message)])
"""
    nowhere = {"CXX": str(tmp_path / "no-such-compiler"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "['torch.compile is not available her']", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("make", [mlp_run, transformer_run], ids=["mlp", "transformer"])
def test_compiled_training_agrees_with_eager_training(make):
    runs = [make(p=13, seed=seed, data_size=80 + seed) for seed in range(4)]
    eager, fast = trained(runs, 60), trained(runs, 60, compile="on")
    assert eager.values.keys() == fast.values.keys()
    for run in runs:
        for split in ("train", "test"):
            a, b = (list(record.series(run.run_id, split, "loss").values()) for record in (eager, fast))
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_what_is_compiled_is_kept_for_this_torch_and_cpu_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")  # as none; so what is set here is undone after it
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keep_compiled()
    [folder] = (tmp_path / "cache" / "grokking-study").iterdir()
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(folder)
    assert folder.name.startswith(f"torch-{torch.__version__}-")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/mine")
    keep_compiled()
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "/mine"
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    keep_compiled()  # nothing can be written there
    assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ


@pytest.mark.parametrize(
    ("gcc", "able", "given", "found"),
    [
        (12, "fpu avx2", None, True),
        (11, "fpu avx2", None, None),
        (0, "fpu avx2", None, None),
        (13, "fpu avx2", False, False),
        (12, "fpu avx2 amx_fp16", None, None),
    ],
)
def test_the_system_is_believed_about_the_cpu_where_the_compiler_is_new(monkeypatch, gcc, able, given, found):
    monkeypatch.setattr(compiler, "gcc_version", lambda: gcc)
    monkeypatch.setattr(compiler, "cpu_abilities", lambda: able)
    with torch._inductor.config.patch({"cpp.vec_isa_ok": given}):
        compiler.spare_trials()
        assert torch._inductor.config.cpp.vec_isa_ok is found
