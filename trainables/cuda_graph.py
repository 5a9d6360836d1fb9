"""A step as a CUDA graph: captured once and then replayed, which is one launch instead of hundreds."""

import functools
import gc
import warnings
from collections.abc import Callable
from typing import Any

import torch


class Replay:
    """One call without arguments that is replayed as a CUDA graph; on other devices it is the call itself.

    It is the same call each time, and the tensors that it reads and writes must stay at the same addresses. It is not
    kept: its owner, with all that is on the device, goes when the last reference to it does, and not when the collector
    of cycles happens to run.
    """

    NUM_WARMUPS = 3

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.graph: torch.cuda.CUDAGraph | None = None
        self.warmups_left = self.NUM_WARMUPS
        self.replays = device.type == "cuda"
        self.stream = side_stream(device) if self.replays else None

    def __call__(self, call: Callable[[], None]) -> None:
        """One call. The first calls run plainly, because lazy initialisation must not be captured."""
        if self.graph is not None:
            self.graph.replay()
        elif not self.replays:
            call()
        elif self.warmups_left:
            self.warmups_left -= 1
            self._on_side_stream(call)
        else:
            self._capture(call)
            self(call)

    def _on_side_stream(self, call: Callable[[], None]) -> None:
        assert self.stream is not None
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            call()
        current.wait_stream(self.stream)

    def _capture(self, call: Callable[[], None]) -> None:
        graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
        stream = torch.cuda.current_stream(self.device)
        collects = gc.isenabled()
        gc.collect()
        gc.disable()  # what it frees during a capture, an old graph for instance, would end that
        try:
            # torch's own stream for captures is of the device that was current when it was made.
            own = _capture_stream(self.device)
            with torch.cuda.graph(graph, pool=pool, stream=own, capture_error_mode="thread_local"):
                call()
            self.graph = graph
        except RuntimeError as error:  # an operation that cannot be captured; nothing has run, and plain calls work
            _leave_capture(stream, pool)
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self.replays = False
            warnings.warn(f"no CUDA graph, steps are launched one by one ({str(error).splitlines()[0]}).", stacklevel=2)
        finally:
            if collects:
                gc.enable()


def _leave_capture(stream: torch.cuda.Stream, pool: Any) -> None:
    """Put back what a capture has changed. torch 2.11: `torch.cuda.graph` does not where ending the capture raises, and
    all that follows would run on its stream and keep memory for its pool."""
    torch.cuda.set_stream(stream)
    try:
        torch._C._cuda_endAllocateToPool(stream.device_index, pool)
    except RuntimeError:
        return  # the capture has come to its end: the graph has the pool, and gives it back itself
    torch._C._cuda_releasePool(stream.device_index, pool)


@functools.cache
def side_stream(device: torch.device) -> torch.cuda.Stream:
    """Where steps warm up and batches are ordered; one for each device, because torch keeps a workspace of 32 MB for
    every stream that has seen a product of matrices."""
    return torch.cuda.Stream(device)


@functools.cache
def _capture_stream(device: torch.device) -> torch.cuda.Stream:
    """Where steps are captured, and nothing else happens: a capture that fails may leave it unusable."""
    return torch.cuda.Stream(device)
