"""`torch.compile` where it is worth its time; eager where it is not, and where no compiler is found."""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainables.device import cpu_abilities, cpu_digest
from trainables.errors import MEMORY_ERRORS, SpecError
from trainables.spec import RunSpec
from trainables.stopwatch import Stopwatch

CHOICES = ("auto", "on", "off")
RECOMPILE_LIMIT = 1024
"""Shapes of packs that one process may compile for. Dynamo silently stops after 8 per function, which a worker that
trains many packs soon reaches."""

OLDEST_GCC = 12
"""The first that knows all instructions that torch uses, but for those of `amx_fp16`."""

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
    function: Callable[..., Any], choice: str, pays: bool, shape: str = "", timer: Stopwatch | None = None
) -> Callable[..., Any]:
    """`function`, compiled if `choice` is `on`, or if it is `auto` and compiling pays; the `timer` is within `compile`
    when it is. `shape` names the function and what it is compiled for.

    Where compiling fails, at the first call or later for other sizes, `auto` falls back to eager and warns once; `on`
    raises. Processes of one machine compile what has the same `shape` one after the other.
    """
    if choice == "off" or (choice == "auto" and (not pays or _unavailable)):
        return function
    keep_compiled()
    spare_trials()
    limits = torch._dynamo.config
    limits.recompile_limit = limits.accumulated_recompile_limit = RECOMPILE_LIMIT
    return _Compiled(function, choice, shape, timer or Stopwatch("train"))


def keep_compiled() -> None:
    """Have torch keep what it compiles where a reboot does not remove it, unless TORCHINDUCTOR_CACHE_DIR says where: in
    the user's folder for caches, one for each version of torch and kind of CPU, because machine code for one need not
    run on another, and a home may be shared by many. Without such a folder, or where nothing is known of the CPU, it
    stays in torch's own, in /tmp."""
    if os.environ.get("TORCHINDUCTOR_CACHE_DIR"):
        return
    if not (digest := cpu_digest()):
        return
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "grokking-study" / f"torch-{torch.__version__}-{digest}"
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lock", "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another process tries it, too
        pass
    except (OSError, RuntimeError):  # there is no home, nothing can be written there, or it knows no locks
        return
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)


def spare_trials() -> None:
    """Have torch believe the system about what the CPU can do. It would compile and load a program for each set of
    instructions first, which takes five seconds on a machine where nothing was compiled before."""
    from torch._inductor import config  # a second to import

    if config.cpp.vec_isa_ok is None and gcc_version() >= OLDEST_GCC and "amx_fp16" not in cpu_abilities():
        config.cpp.vec_isa_ok = True


@functools.cache
def gcc_version() -> int:
    """The major version of the GCC that torch.compile builds with for a CPU; 0 for none, and for another compiler."""
    if (found := find_compiler("cpu")) is None:
        return 0
    said = subprocess.run([found, "-dumpfullversion"], capture_output=True, text=True, check=False)  # clang has none
    number = said.stdout.partition(".")[0]
    return int(number) if number.isdecimal() else 0


class _Compiled:
    """A function that is compiled when it is called with tensors of new sizes, or the eager one where it cannot be."""

    def __init__(self, function: Callable[..., Any], choice: str, shape: str, timer: Stopwatch) -> None:
        self.slow, self.fast = function, torch.compile(function, dynamic=None)
        self.shape, self.timer = shape, timer
        self.falls_back, self.is_eager = choice == "auto", False
        self.sizes = set[tuple[torch.Size, ...]]()
        """Those of the calls so far."""

    def __call__(self, *args: Any) -> Any:
        if self.is_eager:
            return self.slow(*args)
        size = tuple(arg.shape for arg in args if isinstance(arg, torch.Tensor))
        try:
            if size in self.sizes:
                return self.fast(*args)
            with self.timer.within("compile"), _one_at_a_time(self.shape) as lock:
                result = self.fast(*args)
                self.sizes.add(size)
                with suppress(OSError):  # a full disk: the step is taken, and must not be taken again
                    lock.with_suffix(".done").touch()
            return result
        except Exception as error:  # whatever the compiler raises, it computes nothing: the eager function does
            if not self.falls_back or not self._is_of_the_compiler(error):
                raise
            self._fall_back(error)
        return self.slow(*args)

    def _is_of_the_compiler(self, error: Exception) -> bool:
        if isinstance(error, torch.OutOfMemoryError) or MEMORY_ERRORS.search(str(error)):
            return False
        from torch._dynamo.exc import TorchDynamoException  # seconds to import

        return not self.sizes or isinstance(error, TorchDynamoException)

    def _fall_back(self, error: Exception) -> None:
        global _unavailable
        if not _unavailable:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            warnings.warn(f"torch.compile is not available here, training runs eagerly ({reason}).", stacklevel=3)
        _unavailable = self.is_eager = True


@contextmanager
def _one_at_a_time(shape: str) -> Iterator[Path]:
    """Keep other processes of this machine from compiling what has this shape at the same time.

    Two workers that compile the same step together take twice as long; one after the other, the second finds the result
    in the compiler's cache. Workers that compile different steps do not wait for each other.
    """
    from torch._inductor.runtime.cache_dir_utils import cache_dir  # a second to import

    folder = Path(cache_dir())
    folder.mkdir(parents=True, exist_ok=True)
    with open(lock := _lock_of(folder, shape), "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield lock


def shape_of(specs: Sequence[RunSpec]) -> str:
    """What packs have in common that one compilation serves: the number of their runs, and the runs' `pack_key`."""
    return f"{len(specs)} {specs[0].pack_key}"


def was_compiled(shape: str) -> bool:
    """Whether a process of this machine has compiled what has this shape; True where that is not known."""
    keep_compiled()
    folder = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    return folder is None or _lock_of(Path(folder), shape).with_suffix(".done").exists()


def _lock_of(folder: Path, shape: str) -> Path:
    """The file that is locked by who compiles what has this shape; another one beside it says that it is done."""
    return folder / f"grokking-study-{hashlib.blake2b(shape.encode(), digest_size=8).hexdigest()}.lock"
