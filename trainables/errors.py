"""The one error for what a user wrote, and what errors of others say. Knows no package of ours: all can import it."""

import re
import traceback
from collections.abc import Collection
from pathlib import Path

MEMORY_ERRORS = re.compile(r"Out ?Of ?Memory|MemoryError|(not enough|allocate) memory|ALLOC_FAILED", re.IGNORECASE)
"""What torch on CUDA and on a CPU, Python, cuBLAS and Ray's watch over memory say."""


class SpecError(ValueError):
    """A spec, a study, an axis or a value that cannot work: one line with the thing, the value and the mend."""

    def __str__(self) -> str:
        """One line, whatever the value holds."""
        return " ".join(super().__str__().splitlines())

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the line, without the way through our code that led to it."""
        return [f"{type(self).__name__}: {self}"]


def line_in(error: BaseException, modules: Collection[str]) -> str:
    """` (parity.py, line 7)`: where the last of these modules that was at work has failed; '' where none was. A module
    stands for what is in its package, too."""
    roots = {name.partition(".")[0] for name in modules}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if str(frame.f_globals.get("__name__")).partition(".")[0] in roots:
            return f" ({Path(frame.f_code.co_filename).name}, line {line})"
    return ""
