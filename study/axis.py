"""One axis of a search: a field of RunSpec and its values or range, and how the command line writes it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainables.components import closest
from trainables.errors import SpecError
from trainables.spec import RunSpec, paths

FORMS = "a,b,c or lo:hi, with :log and :int as needed"
DIGITS = 6
"""Significant digits of a sampled number: points are read by people."""


@dataclass(frozen=True)
class Axis:
    """A field of RunSpec and what it may be: one of `values`, or a number in [low, high]."""

    path: str
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    shape: bool = False
    """Runs with different values cannot be in one pack."""

    def __str__(self) -> str:
        if self.values is not None:
            return ",".join(map(_text, self.values))
        return f"{_text(self.low)}:{_text(self.high)}" + ":log" * self.log + ":int" * self.integer

    @property
    def size(self) -> int | None:
        """Number of values; None if there is no end of them."""
        if self.values is not None:
            return len(self.values)
        return round(self.span[1] - self.span[0]) + 1 if self.integer else None

    @property
    def span(self) -> tuple[float, float]:
        """Ends of a range."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def ordered(self) -> bool:
        """True for numbers, which lie on a line; words, and what is neither, do not."""
        return self.values is None or all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values)

    @property
    def num_coordinates(self) -> int:
        """One for numbers; one per value for words."""
        return 1 if self.ordered else len(self.values or ())

    def all_values(self) -> tuple[Any, ...]:
        """Every value of a finite axis."""
        if self.values is not None:
            return self.values
        if self.size is None:
            raise SpecError(
                f"axis {self.path!r}: {self} has no end of values; give some of them, as {self.path}=a,b,c."
            )
        return tuple(range(round(self.span[0]), round(self.span[1]) + 1))

    def contains(self, value: Any) -> bool:
        """True for one of the values, or a number of the kind in the range."""
        if self.values is not None:
            return any(value == known and isinstance(value, bool) == isinstance(known, bool) for known in self.values)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and self.span[0] <= value <= self.span[1] and (not self.integer or float(value).is_integer())

    def encode(self, value: Any) -> list[float]:
        """Coordinates in [0, 1]: the place in the range or among sorted numbers, or one-hot for words."""
        if not self.ordered:
            return [float(value == known) for known in self.values or ()]
        if self.values is not None:
            ranks = sorted(self.values)
            return [ranks.index(value) / max(1, len(ranks) - 1)]
        low, high = self._ends()
        return [min(1.0, max(0.0, (self._scale(value) - low) / (high - low)))] if high > low else [0.0]

    def decode(self, coordinates: Sequence[float]) -> Any:
        """The value nearest to these coordinates; the inverse of `encode` up to `DIGITS`."""
        if not self.ordered:
            assert self.values is not None
            return self.values[max(range(len(self.values)), key=lambda i: coordinates[i])]
        place = min(1.0, max(0.0, coordinates[0]))
        if self.values is not None:
            return sorted(self.values)[round(place * (len(self.values) - 1))]
        low, high = self._ends()
        scaled = low + place * (high - low)
        value = math.exp(scaled) if self.log else scaled
        value = round(value) if self.integer else float(f"{value:.{DIGITS}g}")
        return min(max(value, type(value)(self.span[0])), type(value)(self.span[1]))

    def _ends(self) -> tuple[float, float]:
        """Ends of the range on its scale. Whole numbers get cells of width 1, so that each is drawn as often."""
        half = 0.5 if self.integer else 0.0
        return self._scale(self.span[0] - half), self._scale(self.span[1] + half)

    def _scale(self, value: float) -> float:
        return math.log(value) if self.log else float(value)


def split_axis(text: str) -> tuple[str, str]:
    """Path and range of `PATH=RANGE`; SpecError for anything else."""
    path, equals, form = (part.strip() for part in text.partition("="))
    if not (path and equals and form):
        raise SpecError(f"--over {text!r} is not PATH=RANGE: write {path or 'optimizer.weight_decay'}={FORMS}.")
    return path, form


def parse_axis(text: str, base: RunSpec) -> Axis:
    """The axis that `PATH=RANGE` names: `a,b,c`, `lo:hi`, `lo:hi:log`, `lo:hi:int`, each value checked in `base`."""
    path, form = split_axis(text)
    if path not in paths(base):
        raise SpecError(f"--over {text!r}: {path!r} is not a field of RunSpec. {closest(path, paths(base))}")
    if path in ("seed", "data_seed"):
        raise SpecError(f"--over {text!r}: {path!r} cannot be an axis; use --seeds.")
    if ":" not in form:
        values = [_checked(text, path, parse_value(word), base) for word in form.split(",")]
        if len(set(map(repr, values))) < len(values):
            raise SpecError(f"--over {text!r} names a value twice; give each once.")
        return Axis(path, values=tuple(values))
    low_text, high_text, *flags = (word.strip() for word in form.split(":"))
    for flag in flags:
        if flag not in ("log", "int"):
            raise SpecError(f"--over {text!r}: {flag!r} is not known. {closest(flag, ['log', 'int'])}")
    ends = [parse_value(low_text), parse_value(high_text)]
    for end, word in zip(ends, (low_text, high_text), strict=True):
        if isinstance(end, bool) or not isinstance(end, (int, float)):
            raise SpecError(f"--over {text!r}: {word!r} is not a number; ranges are {FORMS}.")
    low, high = (_checked(text, path, end, base) for end in ends)
    integer = "int" in flags or isinstance(low, int)
    if "int" in flags and not (float(low).is_integer() and float(high).is_integer()):
        raise SpecError(f"--over {text!r}: the ends of a range of whole numbers must be whole.")
    if not low < high:
        raise SpecError(f"--over {text!r}: {_text(low)} must be smaller than {_text(high)}; swap them.")
    if "log" in flags and low <= 0:
        raise SpecError(f"--over {text!r}: a log range must begin above 0, got {_text(low)}; leave :log out.")
    return Axis(path, low=low, high=high, log="log" in flags, integer=integer)


def parse_value(word: str) -> Any:
    """A word of the command line as a value of JSON: a number, true, false, none, or the word itself."""
    word = word.strip()
    named = {"none": None, "null": None, "true": True, "false": False}
    if word.lower() in named:
        return named[word.lower()]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _checked(text: str, path: str, value: Any, base: RunSpec) -> Any:
    """The value as the field declares it, so that 1 and 1.0 are one point; SpecError where RunSpec refuses it."""
    try:
        return base.with_values({path: value}).value(path)
    except SpecError as error:
        raise SpecError(f"--over {text!r}: {error}") from None


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
