"""The answer of a study in a sentence: how many runs generalize, which axis decides, and where the boundary lies."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.all_axes import Field, field
from analysis.criticals import ABOVE, BELOW, criticals, looked_at
from analysis.shares import HIGHER, PAIR, SEEDS, shares
from analysis.stored import Study, read_study, rows
from analysis.words import listed, words
from study.store.definitions import Definition
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

MIN_AXES = 3
"""A study of fewer axes shows on its phase diagram which of them decides."""
MIN_VALUES = 4
"""Critical values are told of an axis with at least this many values, if there is one: between two or three values
there is no number to tell."""
MIN_SHARE = 0.05
"""Smaller shares are not told."""
Row = dict[str, Any]


def answer(store: "Store", study: str, definition: str | Definition | None = None) -> str:
    """How many runs of the study generalize; of three or more axes of numbers also which one decides, and the critical
    values of that one.

    Percentages are shares of the variance between runs (`analysis.influence`), with 95% intervals. Where those of the
    largest overlap it is undecided which of them decides more. '' where no run has a phase yet.
    """
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    counted = _counted(store, facts)
    if counted.startswith("Of ") and len(facts.axes) >= MIN_AXES:
        try:
            found = field(store, study, definition=facts.definition)
        except SpecError:  # an axis of words, or more axes than can be looked at together
            return f"{counted}."
        if len(found.axes) >= MIN_AXES:
            return f"{counted}: {_decides(shares(found))}. {_critical(found)}."
    return f"{counted}." if counted else ""


def leading(found: Field, axis: str | None = None) -> tuple[str, list[str]]:
    """The axis of whose critical values one tells, if not `axis`, and all others, by their total index."""
    axes = [row for row in records(shares(found)) if row["order"] == 1]
    ranked = [row["term"] for row in sorted(axes, key=lambda row: -row["total"])]
    many = [axis for axis in ranked if not 0 < len(found.levels[found.index(axis)]) < MIN_VALUES]
    first = (many or ranked)[0] if axis is None else found.axes[found.index(axis)]
    return first, [axis for axis in ranked if axis != first]


def records(table: pd.DataFrame) -> list[Row]:
    """The rows of a frame as dictionaries."""
    return table.to_dict("records")  # pyright: ignore[reportReturnType] (the keys are words)


def _counted(store: "Store", facts: Study) -> str:
    [count] = rows(
        store,
        """select
            count(*) filter (where phase <> 'unresolved')::integer as resolved,
            count(*) filter (where phase = 'unresolved')::integer as unresolved,
            count(*) filter (where list_contains($generalized, phase))::integer as generalized
        from study_runs join phases using (run_id) where study = $study and definition = $definition""",
        study=facts.name,
        definition=facts.definition.name,
        generalized=list(facts.definition.generalized),
    )
    resolved, generalized = count["resolved"], count["generalized"]
    runs = f"{resolved:,} resolved runs" if count["unresolved"] else f"{resolved:,} run{'s' * (resolved != 1)}"
    if not resolved:
        return ""
    if not generalized:
        return f"None of {runs} generalizes by its horizon"
    if generalized == resolved:
        return f"All of {runs} generalize"
    return f"Of {runs}, {generalized / resolved:.0%} generalize"


def _decides(table: pd.DataFrame) -> str:
    """Which axis or pair has the largest share, or which of the largest that is undecided, and the next ones."""
    terms = sorted(records(table), key=lambda row: -row["share"])
    [seeds] = [row for row in terms if row["term"] == SEEDS]
    terms = [row for row in terms if row["term"] != SEEDS]
    first = [row for row in terms if row["high"] >= terms[0]["low"]]
    if len(first) > 1:
        told = [_told(row, "" if i else " of the variance") for i, row in enumerate(first[:3])]
        said = f"it is undecided which decides most, {' or '.join(told)}"
    else:
        verb = "decide" if PAIR in first[0]["term"] or first[0]["term"] == HIGHER else "decides"
        said = f"{_named(first[0], [])} {verb} most ({_share(first[0], ' of the variance')})"
    before = [row["term"] for row in first]
    following = [row for row in terms[len(first) :] if row["share"] >= MIN_SHARE][:2]
    if following:
        told = [_told(row, "", before + [row["term"] for row in following[:i]]) for i, row in enumerate(following)]
        said += f", then {listed(told)}"
    return f"{said}; {_share(seeds)} lies between seeds alone"


def _told(row: Row, of: str, before: list[str] | None = None) -> str:
    return f"{_named(row, before or [])} ({_share(row, of)})"


def _share(row: Row, of: str = "") -> str:
    return f"{row['share']:.0%}{of} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"


def _named(row: Row, before: list[str]) -> str:
    """A term in words; a pair of the two that were named `before` is their pair."""
    if row["term"] == HIGHER:
        return f"{HIGHER} together"
    axes = row["term"].split(PAIR)
    if len(axes) > 1 and set(axes) == set(before[:2]):
        return "their pair"
    return "the pair of " + listed([words(axis) for axis in axes]) if len(axes) > 1 else words(axes[0])


def _critical(found: Field) -> str:
    """Critical values at the lowest and the highest value of the next axis, all others in the middle."""
    axis, (along, *others) = leading(found)
    ends = [looked_at(found, along)[i] for i in (0, -1)]
    middle = {other: looked_at(found, other)[len(looked_at(found, other)) // 2] for other in others}
    table = criticals(found, axis, {along: ends} | {other: [value] for other, value in middle.items()})
    rows = [[row for row in records(table) if row[along] == end] for end in ends]
    held = f"At {listed([f'{words(other)} {value:.3g}' for other, value in middle.items()])}"
    if any(len(row) > 1 for row in rows):
        return f"{held} the share of seeds that generalize crosses one half several times along {words(axis)}"
    [low], [high] = rows
    side = "above" if low["rises"] else "below"
    name = f"{held} the critical {words(axis)}, {side} which most seeds generalize,"
    told = [
        f"{_place(found, axis, row)} at {words(along)} {end:.3g}" for row, end in zip((low, high), ends, strict=True)
    ]
    if low["low"] > high["high"] or high["low"] > low["high"]:
        return f"{name} {'falls' if low['low'] > high['high'] else 'rises'} from {told[0]} to {told[1]}"
    return f"{name} does not clearly change: it is {listed(told)}"


def _place(found: Field, axis: str, row: Row) -> str:
    scale, levels = found.scales[found.index(axis)], found.levels[found.index(axis)]
    lowest, highest = (levels[0], levels[-1]) if levels else (scale.value(0), scale.value(1))
    if row["where"] == BELOW:
        return f"below {lowest:.3g}, the lowest studied,"
    if row["where"] == ABOVE:
        return f"above {highest:.3g}, the highest studied,"
    low = f"{row['low']:.3g}" if row["low"] > lowest else f"below {lowest:.3g}"
    high = f"{row['high']:.3g}" if row["high"] < highest else f"above {highest:.3g}"
    return f"{row['value']:.3g} [{low}, {high}]"
