"""Replaying a step."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch

from trainables.cuda_graph import Replay


def test_replay_on_a_cpu_is_the_call_itself():
    calls = []
    replay = Replay(torch.device("cpu"))
    for _ in range(5):
        replay(lambda: calls.append(1))
    assert len(calls) == 5


class Streams:
    """What of torch.cuda a capture uses, with a capture that fails in the end."""

    def __init__(self, error: Exception | None, ended: bool = False) -> None:
        self.error, self.ended, self.current = error, ended, "plain"
        self.given_back: list[str] = []
        self.collecting: list[bool] = []

    @contextmanager
    def graph(self, graph: object, pool: object, stream: object, capture_error_mode: str) -> Iterator[None]:
        before, self.current = self.current, "capture"
        self.collecting.append(gc.isenabled())
        yield
        if self.error:
            raise self.error
        self.current = before

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def end(device: int, pool: object) -> None:
            if self.ended:  # as torch does, whose graph has the pool then
                raise RuntimeError("endAllocatePool: not currently recording to mempool_id")
            self.given_back.append("end")

        def release(device: int, pool: object) -> None:
            assert not self.ended, "the graph gives it back, too"
            self.given_back.append("release")

        class Graph:
            def replay(self) -> None:
                pass

        stream = SimpleNamespace(device_index=0, wait_stream=lambda other: None)
        for name, value in {
            "CUDAGraph": Graph, "graph_pool_handle": lambda: "pool", "graph": self.graph,
            "Stream": lambda device: stream, "stream": lambda stream: nullcontext(),
            "current_stream": lambda device: stream, "set_stream": lambda stream: setattr(self, "current", "plain"),
        }.items():  # fmt: skip
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", end, raising=False)
        monkeypatch.setattr(torch._C, "_cuda_releasePool", release, raising=False)
        for name in ("side_stream", "_capture_stream"):
            monkeypatch.setattr(f"trainables.cuda_graph.{name}", lambda device: stream)


@pytest.mark.parametrize("ended", [False, True])
def test_after_a_capture_that_fails_steps_go_on_plainly_where_they_were(monkeypatch, ended):
    streams = Streams(RuntimeError("operation not permitted when stream is capturing\nand more"), ended)
    streams.patch(monkeypatch)
    replay, calls = Replay(torch.device("cuda")), []

    def call() -> None:
        calls.append(streams.current)

    for _ in range(Replay.NUM_WARMUPS):
        replay(call)
    with pytest.warns(UserWarning, match=r"one by one \(operation not permitted when stream is capturing\)"):
        replay(call)
    replay(call)
    # What is called within the capture does not run: it is called once more outside.
    assert calls == ["plain"] * 3 + ["capture", "plain", "plain"]
    assert streams.given_back == ([] if ended else ["end", "release"])
    assert streams.collecting == [False]
    assert gc.isenabled()


@pytest.mark.parametrize("error", [KeyError("x"), torch.OutOfMemoryError("full")])
def test_an_error_of_another_kind_in_a_capture_is_raised(monkeypatch, error):
    Streams(error).patch(monkeypatch)
    replay = Replay(torch.device("cuda"))
    for _ in range(Replay.NUM_WARMUPS):
        replay(lambda: None)
    with pytest.raises(type(error)):
        replay(lambda: None)
    assert gc.isenabled()


def test_a_graph_is_captured_once_and_replayed(monkeypatch):
    streams = Streams(None)
    streams.patch(monkeypatch)
    replay, calls = Replay(torch.device("cuda")), []
    for _ in range(10):
        replay(lambda: calls.append(streams.current))
    assert calls == ["plain"] * 3 + ["capture"]
    assert streams.given_back == []


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
