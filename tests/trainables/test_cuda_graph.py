"""Replaying a step."""

import pytest
import torch

from trainables.cuda_graph import Replay


def test_replay_on_a_cpu_is_the_call_itself():
    calls = []
    replay = Replay(torch.device("cpu"))
    for _ in range(5):
        replay(lambda: calls.append(1))
    assert len(calls) == 5


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_cuda_graph_counts_each_step_once():
    device = torch.device("cuda")
    counter = torch.zeros((), device=device)
    replay = Replay(device)
    for _ in range(10):
        replay(lambda: counter.add_(1))  # pyright: ignore[reportArgumentType]
    assert replay.graph is not None
    assert counter.item() == 10
