"""Which columns of an answer a reader has chosen for a chart, and how they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

MARKS = ("point", "line", "bar")
SCALES = {"": "linear", "x": "x in logarithms", "y": "y in logarithms", "both": "both in logarithms"}


class Undrawable(Exception):
    """Why columns make no chart, in one line."""


@dataclass(frozen=True)
class Choice:
    """Columns of an answer, and how they are drawn."""

    x: str
    y: str
    color: str = ""
    """'' = all alike."""
    mark: str = MARKS[0]
    scale: str = ""

    def check(self, names: Sequence[str]) -> None:
        """Undrawable where the columns `names` make no such chart."""
        for what, name in (("x", self.x), ("y", self.y), ("color", self.color)):
            if name and name not in names:
                raise Undrawable(f"{what}: the answer has no column {name[:80]!r}: choose another one.")
        if self.mark not in MARKS:
            raise Undrawable(f"mark must be one of {', '.join(MARKS)}, got {self.mark[:80]!r}.")
        if self.scale not in SCALES:
            raise Undrawable(
                f"scale must be one of {', '.join(filter(None, SCALES))} or empty, got {self.scale[:80]!r}."
            )
        if self.mark == "bar" and self.scale in ("y", "both"):
            raise Undrawable("Bars begin at 0, which has no logarithm: choose points or lines, or a linear y.")


def choice_of(request: Request) -> Choice:
    """What the address says of the chart."""
    given = request.query_params
    return Choice(
        given.get("x", ""), given.get("y", ""), given.get("color", ""), given.get("mark") or MARKS[0],
        given.get("scale", ""),
    )  # fmt: skip
