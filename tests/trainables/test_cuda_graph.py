"""Replaying a step."""

import pytest
import torch

from trainables.cuda_graph import Replay


def test_replay_on_a_cpu_is_the_call_itself():
    calls = []
    replay = Replay(lambda: calls.append(1), torch.device("cpu"))
    for _ in range(5):
        replay()
    assert len(calls) == 5


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_cuda_graph_counts_each_step_once():
    device = torch.device("cuda")
    counter = torch.zeros((), device=device)
    replay = Replay(lambda: counter.add_(1), device)  # pyright: ignore[reportArgumentType]
    for _ in range(10):
        replay()
    assert replay.graph is not None
    assert counter.item() == 10
