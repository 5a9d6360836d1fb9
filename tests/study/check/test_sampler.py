"""Samplers that a search could not go on with."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from study.check import sampler
from study.samplers import random as at_random
from study.search.space import Seen, Space
from study.spec import Point
from tests.study.check.failing import failing
from trainables.errors import SpecError


def again(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    return at_random.suggest(space, [], rng, count)


def impure(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    return at_random.suggest(space, seen, random.Random(), count)


def outside(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    return [{**point, "x": 7.0} for point in at_random.suggest(space, seen, rng, count)]


def too_many(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    return at_random.suggest(space, seen, rng, count + 1)


def lazily(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> Any:
    return iter(at_random.suggest(space, seen, rng, count))


def raising(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    return [{"x": seen[-1].value + 1} for _ in range(count)]  # pyright: ignore[reportOptionalOperand]


WRONG = {
    again: {"new points": r"space line (x=0.2:0.8): ", "used up": "of 18 points 4 are given and then 18"},
    impure: {"pure": "the same call gives [{'x': 0."},
    outside: {"points": "{'x': 7.0} is no point of it"},
    too_many: {"points": "suggest gives 5 points where 4 were asked for", "none asked": "1 points where 0"},
    lazily: {"points": "give a list of points", "failed runs": "give a list of points"},
    raising: {"points": "IndexError: list index out of range (test_sampler.py, line "},
}


@pytest.mark.parametrize("suggest", WRONG)
def test_what_is_wrong_has_its_row(suggest):
    told = failing(sampler.checks(suggest))
    for row, detail in WRONG[suggest].items():
        assert detail in told[row]


def test_a_sampler_for_finite_spaces_is_tried_on_those():
    def finite(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
        if space.size is None:
            raise SpecError("give values.")
        return at_random.suggest(space, seen, rng, count)

    rows = list(sampler.checks(finite))
    assert failing(rows) == {}
    assert {row.detail for row in rows} == {"3 spaces"}
