"""Splits of a task that share no example."""

# N examples, L tokens

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from study.check.examples import Splits
from study.check.row import Skipped, Wrong, require

APART = ("train", "test", "ood")
"""Splits that share no example; others are a closer look at a part of one of these."""


def leakage(task: Any, splits: Splits) -> str:
    """No example is in two of train, test and ood, and none comes twice."""
    sets, seen = {name: examples(split.inputs_NL) for name, split in splits.items()}, dict[bytes, str]()
    if getattr(task, "drawn", False):
        raise Skipped(_drawn(sets))
    for name in (name for name in APART if name in splits):
        keys = _keys(splits[name].inputs_NL)
        again = [row for row, key in enumerate(keys) if key in seen]
        if again:
            raise Wrong(
                f"{len(again)} of {len(keys)} examples of {name} are in {seen[keys[again[0]]]}, for instance "
                f"{_short(splits[name].inputs_NL[again[0]])}: split the examples, not draws of them."
            )
        if len(sets[name]) < len(keys):
            raise Wrong(
                f"{len(keys) - len(sets[name])} of {len(keys)} examples of {name} come twice: keep one of each, or say "
                "drawn = True in the class where examples are draws from a distribution."
            )
        seen |= dict.fromkeys(keys, name)
    for name in sets.keys() - set(APART):
        require(
            any(sets[name] <= sets[whole] for whole in ("train", "test") if whole in sets),
            f"split {name} has examples that are neither all in train nor all in test: call it ood, "
            "or take a part of one.",
        )
    return "no example twice"


def _drawn(sets: Mapping[str, set[bytes]]) -> str:
    shared = len(sets["train"] & sets.get("test", set()))
    return f"examples are drawn: {shared} of {len(sets.get('test', ()))} of test are in train, too"


def examples(inputs_NL: Tensor) -> set[bytes]:
    """Every example as a key."""
    return set(_keys(inputs_NL))


def _keys(inputs_NL: Tensor) -> list[bytes]:
    return [row.tobytes() for row in (inputs_NL.flatten(1) + 0).contiguous().numpy()]  # + 0: -0.0 and 0.0 are one


def _short(example_L: Tensor) -> str:
    text = str(example_L.tolist())
    return text if len(text) <= 60 else f"{text[:57]}..."
