"""One row of a table of checks, and how a check says that something is wrong."""

import sysconfig
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.study_file import HOME, OURS
from trainables.errors import SpecError

NOT_A_USERS = (
    *(f"{HOME / name}/" for name in OURS),
    *(f"{path}/" for path in set(sysconfig.get_paths().values())),
    "<",
)
"""Where code lies that a user has not written."""


@dataclass(frozen=True)
class Check:
    """What one check came to. `ok` is None where it could not be tried, and then `detail` says why."""

    name: str
    ok: bool | None
    detail: str = ""


class Wrong(Exception):
    """What is wrong with a part: the values that were found, and the mend."""


class Skipped(Exception):
    """Why something cannot be tried here."""


def outcome(name: str, check: Callable[..., str | None], *args: Any) -> Check:
    """The row of one check. Whatever a user's code raises is a failure, with the file and the line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Check(name, True, check(*args) or "")
    except Skipped as reason:
        return Check(name, None, str(reason))
    except Exception as error:
        return Check(name, False, said(error))


def said(error: Exception) -> str:
    """An error in one line, with the user's file and line where it came from there."""
    if isinstance(error, Wrong | SpecError):
        return " ".join(str(error).split())
    message = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return f"{type(error).__name__}{': ' * bool(message)}{message}{line_of(error)}."


def line_of(error: BaseException) -> str:
    """` (parity.py, line 7)`: the last line of a user's code that was at work; '' where there is none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(NOT_A_USERS)]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def require(holds: object, problem: str) -> None:
    """Wrong with this problem unless it holds."""
    if not holds:
        raise Wrong(problem)
