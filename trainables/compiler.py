"""`torch.compile` where it pays, eager where it does not or where no compiler is found, CUDA graphs on top of both."""

import fcntl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from trainables.errors import SpecError

CHOICES = ("auto", "on", "off")
PAYS_FROM_FLOPS = 5e11
"""Operations from which compiling is paid back: 10 to 15 s cold on a CPU core, for steps 2 to 3 times faster."""

RECOMPILE_LIMIT = 1024
"""Shapes of packs that one process may compile for. Dynamo gives up silently after 8 per function, and a worker that
lives for many packs passes that soon."""

_unavailable = False  # no compiler on this machine: found out once per process, said once


def compiled(function: Callable[..., Any], choice: str, flops: float) -> Callable[..., Any]:
    """`function`, compiled if `choice` is `on`, or if it is `auto` and `flops` of work make it worth while.

    With `auto`, a failure to compile falls back to eager and is said once; with `on` it raises.
    """
    if choice not in CHOICES:
        raise SpecError(f"compile must be one of {', '.join(CHOICES)}, got {choice!r}.")
    if choice == "off" or (choice == "auto" and (flops < PAYS_FROM_FLOPS or _unavailable)):
        return function
    limits = torch._dynamo.config
    limits.recompile_limit = limits.accumulated_recompile_limit = RECOMPILE_LIMIT
    fast = torch.compile(function, dynamic=None)
    return fast if choice == "on" else _with_fallback(fast, function)


def _with_fallback(fast: Callable[..., Any], slow: Callable[..., Any]) -> Callable[..., Any]:
    chosen = None

    def call(*args: Any) -> Any:
        nonlocal chosen
        global _unavailable
        if chosen is not None:
            return chosen(*args)
        try:
            with _one_at_a_time():
                result = fast(*args)
            chosen = fast
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever the compiler raises: the eager step computes the same
            if not _unavailable:
                reason = (str(error).strip() or repr(error)).splitlines()[0]
                warnings.warn(f"torch.compile is not available here, training runs eagerly ({reason}).", stacklevel=2)
            _unavailable, chosen = True, slow
            result = slow(*args)
        return result

    return call


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep other processes of this machine from compiling meanwhile: they find the result in the compiler's cache.

    Two workers that compile the same step at once take twice as long as one after the other.
    """
    from torch._inductor.runtime.cache_dir_utils import cache_dir  # a second to import

    folder = Path(cache_dir())
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "grokking-study.lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Replay:
    """A call without arguments, captured once as a CUDA graph and replayed: one launch instead of hundreds.

    What it reads and writes must stay at the same addresses. Elsewhere than on CUDA it just calls.
    """

    NUM_WARMUPS = 3

    def __init__(self, call: Callable[[], None], device: torch.device) -> None:
        self.call, self.device = call, device
        self.graph: torch.cuda.CUDAGraph | None = None
        self.warmups_left = self.NUM_WARMUPS
        self.replays = device.type == "cuda"
        self.stream = torch.cuda.Stream(device) if self.replays else None  # one: each has memory of its own

    def __call__(self) -> None:
        """One step. The first calls run plainly, because lazy initialisation must not be captured."""
        if self.graph is not None:
            self.graph.replay()
        elif not self.replays:
            self.call()
        elif self.warmups_left:
            self.warmups_left -= 1
            self._on_side_stream()
        else:
            self._capture()
            self()

    def _on_side_stream(self) -> None:
        assert self.stream is not None
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            self.call()
        current.wait_stream(self.stream)

    def _capture(self) -> None:
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize(self.device)
        torch.cuda.empty_cache()
        try:
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self.call()
            self.graph = graph
        except RuntimeError as error:  # an operation that cannot be captured: nothing has run, plain calls do the same
            self.replays = False
            warnings.warn(f"no CUDA graph, steps are launched one by one ({str(error).splitlines()[0]}).", stacklevel=2)
