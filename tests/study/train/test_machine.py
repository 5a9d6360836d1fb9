"""What a machine with GPUs gives, asked without a context on them."""

from types import SimpleNamespace

import pytest
import torch

from study.plan.packing import Share
from study.train import machine as asked
from study.train.machine import gpus_here, machine
from trainables.errors import SpecError


@pytest.fixture
def answer(monkeypatch):
    """Lets the process that asks say something; returns the command lines."""

    def say(stdout: str, stderr: str = "") -> list[list[str]]:
        lines: list[list[str]] = []

        def run(line: list[str], **options: object) -> SimpleNamespace:
            lines.append(line)
            return SimpleNamespace(stdout=stdout, stderr=stderr)

        monkeypatch.setattr(asked.subprocess, "run", run)
        monkeypatch.setattr(asked, "resolve_device", torch.device)
        return lines

    gpus_here.cache_clear()
    yield say
    gpus_here.cache_clear()


def test_packs_are_for_the_gpu_that_has_the_least_memory_free(answer):
    lines = answer('[["NVIDIA H200", 80000000000, 141000000000], ["NVIDIA H200", 60000000000, 141000000000]]')
    whole, half = machine("cuda"), machine("cuda", Share(gpu=0.5))
    assert (whole.device, whole.workers, half.workers) == ("cuda", 2, 4)
    assert whole.memory == pytest.approx(0.7 * 60e9)
    assert half.memory == pytest.approx(whole.memory / 2)
    assert len(lines) == 1, "once for a process"


@pytest.mark.parametrize("said", ["", "[]", "no JSON"])
def test_where_nothing_is_said_one_line_says_why(answer, said):
    answer(said, "Traceback\nRuntimeError: CUDA driver version is insufficient")
    with pytest.raises(
        SpecError, match=r"cannot be asked what they are \(RuntimeError: CUDA driver version is insufficient\)"
    ):
        machine("cuda")


def test_the_question_is_python_that_runs():
    compile(asked.ASK, "ask", "exec")
    assert "mem_get_info" in asked.ASK
