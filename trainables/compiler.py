"""`torch.compile` where it is worth its time; eager where it is not, and where no compiler is found."""

import fcntl
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainables.errors import SpecError

CHOICES = ("auto", "on", "off")
RECOMPILE_LIMIT = 1024
"""Shapes of packs that one process may compile for. Dynamo silently stops after 8 per function, which a worker that
trains many packs soon reaches."""

_unavailable = False  # no compiler on this machine: each process finds out once and says so once


@dataclass(frozen=True)
class Compiling:
    """What the user asks for, and the steps and evaluations that one compilation would serve, in packs of one shape."""

    choice: str = "auto"
    num_steps: float = 0.0
    num_evaluations: float = 0.0

    def __post_init__(self) -> None:
        if self.choice not in CHOICES:
            raise SpecError(f"compile must be one of {', '.join(CHOICES)}, got {self.choice!r}.")


INSTALL = "install one (Debian: apt-get install g++), or name yours in CXX"


def find_compiler(device: str) -> str | None:
    """The program that torch.compile builds with, for what trains on a CPU or on CUDA; None if there is none here."""
    names = ("gcc", "clang", "cc") if device == "cuda" else ("g++",)
    asked = os.environ.get("CC" if device == "cuda" else "CXX")
    return next((found for name in ((asked,) if asked else names) if (found := shutil.which(name))), None)


def compiled(function: Callable[..., Any], choice: str, pays: bool) -> Callable[..., Any]:
    """`function`, compiled if `choice` is `on`, or if it is `auto` and compiling pays.

    Where compiling fails, `auto` falls back to eager and warns once; `on` raises.
    """
    if choice == "off" or (choice == "auto" and (not pays or _unavailable)):
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
        except Exception as error:  # whatever the compiler raises: the eager function computes the same
            if not _unavailable:
                reason = (str(error).strip() or repr(error)).splitlines()[0]
                warnings.warn(f"torch.compile is not available here, training runs eagerly ({reason}).", stacklevel=2)
            _unavailable, chosen = True, slow
            result = slow(*args)
        return result

    return call


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep other processes of this machine from compiling at the same time.

    Two workers that compile the same step together take twice as long; one after the other, the second finds the result
    in the compiler's cache.
    """
    from torch._inductor.runtime.cache_dir_utils import cache_dir  # a second to import

    folder = Path(cache_dir())
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "grokking-study.lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
