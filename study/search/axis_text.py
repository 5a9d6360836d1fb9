"""How the command line writes an axis: PATH=RANGE, as in `optimizer.weight_decay=0.01:10:log`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from study.search.axis import Axis, text_of
from trainables.components import closest
from trainables.errors import SpecError
from trainables.spec import RunSpec, paths

FORMS = "a,b,c or lo:hi, with :log, :int or :int:STEP as needed"


def split_axis(text: str) -> tuple[str, str, str]:
    """Path, range and condition ('' for none) in `PATH=RANGE if PATH=VALUES`; SpecError for any other text."""
    axis, _, condition = (part.strip() for part in text.partition(" if "))
    path, equals, form = (part.strip() for part in axis.partition("="))
    if not (path and equals and form):
        raise SpecError(f"--over {text!r} is not PATH=RANGE: write {path or 'optimizer.weight_decay'}={FORMS}.")
    return path, form, condition


def parse_axes(texts: Sequence[str], base: RunSpec) -> tuple[Axis, ...]:
    """The axes in the order given; a condition may name any axis without one."""
    free = {text: parse_axis(text, base) for text in texts if not split_axis(text)[2]}
    return tuple(free.get(text) or parse_axis(text, base, list(free.values())) for text in texts)


def parse_axis(text: str, base: RunSpec, others: Sequence[Axis] = ()) -> Axis:
    """The axis that `PATH=RANGE` describes: `a,b,c`, `lo:hi`, `lo:hi:log`, `lo:hi:int` or `lo:hi:int:STEP`; values are
    checked in `base`.

    `PATH=RANGE if OTHER=VALUES` is an axis only for points that have one of these values on that other axis. SpecError
    for a range that cannot work.
    """
    path, form, condition = split_axis(text)
    if not condition:
        return _parsed(text, path, form, base)
    parent, values = _condition(text, condition, others)
    axes = [_parsed(text, path, form, base.with_values({parent: value})) for value in values]
    return replace(axes[0], when=(parent, values))


def _parsed(text: str, path: str, form: str, base: RunSpec) -> Axis:
    """The axis without its condition."""
    if path not in paths(base):
        near = closest(path, paths(base), "`study show STUDY` shows all.")
        raise SpecError(f"--over {text!r}: {path!r} is not a field of RunSpec. {near}")
    if path in ("seed", "data_seed"):
        raise SpecError(f"--over {text!r}: {path!r} cannot be an axis; use --seeds.")
    if ":" not in form:
        values = [_checked(text, path, parse_value(word), base) for word in form.split(",")]
        if len(set(map(repr, values))) < len(values):
            raise SpecError(f"--over {text!r} names a value twice; give each once.")
        return Axis(path, values=tuple(values), shape=divides(path, values, base))
    low_text, high_text, *flags = (word.strip() for word in form.split(":"))
    step = int(flags.pop()) if len(flags) > 1 and flags[-2] == "int" and flags[-1].isdecimal() else 1
    for flag in flags:
        if flag.isdecimal():
            raise SpecError(f"--over {text!r}: {flag!r} is a step without :int before it; write lo:hi:int:{flag}.")
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
    if low == high:
        raise SpecError(
            f"--over {text!r}: a range from {text_of(low)} must end above it; for one value there is --set."
        )
    if not low < high:
        raise SpecError(f"--over {text!r}: {text_of(low)} must be smaller than {text_of(high)}; swap them.")
    if "log" in flags and low <= 0:
        raise SpecError(f"--over {text!r}: a log range must begin above 0, got {text_of(low)}; leave :log out.")
    if step != 1:
        if not 1 <= step <= high - low:
            span = text_of(high - low)
            raise SpecError(
                f"--over {text!r}: a step must be in [1, {span}], from the first value to a second, got {step}."
            )
        if "log" in flags:
            raise SpecError(f"--over {text!r}: steps of one size are no logarithmic range; leave :log or the step out.")
        high = low + (high - low) // step * step
    shape = divides(path, [low, high], base)
    return Axis(path, low=low, high=high, log="log" in flags, integer=integer, step=step, shape=shape)


def _condition(text: str, condition: str, others: Sequence[Axis]) -> tuple[str, tuple[Any, ...]]:
    """Path and values in `PATH=VALUES`; the path must be another axis with listed values."""
    path, _, form = (part.strip() for part in condition.partition("="))
    parents = {axis.path: axis.values for axis in others if axis.values is not None}
    if path not in parents:
        listed = closest(path, list(parents)) if parents else "No --over lists values."
        raise SpecError(f"--over {text!r}: {path!r} is not an axis with listed values. {listed}")
    values = []
    for word in form.split(","):
        found = [value for value in parents[path] or () if str(value) == word.strip() or value == parse_value(word)]
        if not found:
            raise SpecError(f"--over {text!r}: {word.strip()!r} is no value of {path}. "
                            f"{closest(word.strip(), list(map(str, parents[path] or ())))}")  # fmt: skip
        values.append(found[0])
    return path, tuple(values)


def parse_value(word: str) -> Any:
    """A word of the command line as a JSON value: a number, true, false, none, or the word itself."""
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
    """The value in the type of its field, so that 1 and 1.0 are one point; SpecError if RunSpec refuses it."""
    try:
        return base.with_values({path: value}).value(path)
    except SpecError as error:
        raise SpecError(f"--over {text!r}: {error}") from None


def divides(path: str, values: Sequence[Any], base: RunSpec) -> bool:
    """True if runs that differ in these values cannot be in one pack."""
    return len({base.with_values({path: value}).pack_key for value in values}) > 1
