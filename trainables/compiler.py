"""`torch.compile` where it is worth its time; eager where it is not, and where no compiler is found."""

import fcntl
import hashlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainables.device import cpu_digest
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


def compiled(
    function: Callable[..., Any], choice: str, pays: bool, shape: str = "", device: str = "cpu"
) -> Callable[..., Any]:
    """`function`, compiled for a `device` of this type if `choice` is `on`, or if it is `auto` and compiling pays.

    Where compiling fails, at the first call or later for other sizes, `auto` falls back to eager and warns once; `on`
    raises. Processes of one machine compile what has the same `shape` one after the other.
    """
    if choice == "off" or (choice == "auto" and (not pays or _unavailable)):
        return function
    keep_compiled()
    limits = torch._dynamo.config
    limits.recompile_limit = limits.accumulated_recompile_limit = RECOMPILE_LIMIT
    # On a CPU all kernels of a graph and their calls are one file of C++, so the compiler is called once, not for each
    # of ten kernels and more: most of its seconds go into starting and reading headers.
    fast = torch.compile(function, dynamic=None, options={"cpp_wrapper": device == "cpu"})
    return fast if choice == "on" else _with_fallback(fast, function, shape)


def keep_compiled() -> None:
    """Have torch keep what it compiles where a reboot does not remove it, unless TORCHINDUCTOR_CACHE_DIR says where: in
    the user's folder for caches, one for each version of torch and kind of CPU, because machine code for one need not
    run on another, and a home may be shared by many. Without such a folder it stays in torch's own, in /tmp."""
    if os.environ.get("TORCHINDUCTOR_CACHE_DIR"):
        return
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "grokking-study" / f"torch-{torch.__version__}-{cpu_digest()}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # there is no home, or nothing can be written there
        return
    if os.access(folder, os.W_OK):
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)


def _with_fallback(fast: Callable[..., Any], slow: Callable[..., Any], shape: str) -> Callable[..., Any]:
    chosen, called = fast, False

    def call(*args: Any) -> Any:
        nonlocal chosen, called
        global _unavailable
        if chosen is slow:
            return slow(*args)
        try:
            with nullcontext() if called else _one_at_a_time(shape):
                result = fast(*args)
            called = True
            return result
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever the compiler raises, it computes nothing: the eager function does
            from torch._dynamo.exc import TorchDynamoException  # seconds to import

            if called and not isinstance(error, TorchDynamoException):
                raise  # not the compiler's
            if not _unavailable:
                reason = (str(error).strip() or repr(error)).splitlines()[0]
                warnings.warn(f"torch.compile is not available here, training runs eagerly ({reason}).", stacklevel=2)
            _unavailable, chosen = True, slow
        return slow(*args)

    return call


@contextmanager
def _one_at_a_time(shape: str) -> Iterator[None]:
    """Keep other processes of this machine from compiling what has this shape at the same time.

    Two workers that compile the same step together take twice as long; one after the other, the second finds the result
    in the compiler's cache. Workers that compile different steps do not wait for each other.
    """
    from torch._inductor.runtime.cache_dir_utils import cache_dir  # a second to import

    folder = Path(cache_dir())
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.blake2b(shape.encode(), digest_size=8).hexdigest()
    with open(folder / f"grokking-study-{name}.lock", "a") as handle:
        with suppress(OSError):  # a shared home that knows no locks: then both compile
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
