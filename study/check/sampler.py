"""A sampler: points of the space, none twice, all of them in the end, whatever happens in between."""

import random
from collections.abc import Callable, Iterator, Sequence

from study.check.row import Check, Wrong, outcome, require
from study.search.space import Axis, Seen, Space
from study.spec import Point, point_key
from trainables.errors import SpecError

Suggest = Callable[[Space, Sequence[Seen], random.Random, int], list[Point]]

LINE = Space((Axis("x", low=0.2, high=0.8),))
PLANE = Space((Axis("x", low=0.2, high=0.8), Axis("y", low=0.01, high=10.0, log=True)))
MIXED = Space(
    (
        Axis("x", low=-1.0, high=1.0),
        Axis("width", low=4, high=64, log=True, integer=True),
        Axis("word", values=("add", "sub", None, True)),
        Axis("decay", values=(0.0, 5.0, 1.0)),
    )
)
WORDS = Space(
    (Axis("word", values=("add", "sub", "mul")), Axis("decay", values=(0.0, 1.0, 5.0)), Axis("width", values=(8, 16)))
)
WHOLE = Space((Axis("width", low=3, high=7, integer=True), Axis("word", values=("add", "sub"))))
MOMENTUM = Axis("momentum", values=(0.0, 0.5, 0.9), when=("optimizer", ("sgd", "muon")))
BETA = Axis("beta", low=0.5, high=0.99, when=("optimizer", ("adamw",)))
SOME = Space((Axis("optimizer", values=("adamw", "sgd", "muon")), MOMENTUM, Axis("width", low=3, high=4, integer=True)))
DEPENDENT = Space((*SOME.axes, BETA))
SPACES = {
    "line": LINE, "plane": PLANE, "mixed": MIXED, "words": WORDS, "whole": WHOLE, "some": SOME, "dependent": DEPENDENT,
}  # fmt: skip
FINITE = {name: space for name, space in SPACES.items() if space.size is not None}
MEND = "a sampler is a pure function of space, seen and rng"


def checks(suggest: Suggest) -> Iterator[Check]:
    """All checks of a function `suggest`, each over all spaces that it takes."""
    spaces = FINITE if refuses(suggest, LINE) else SPACES
    for name, check in CHECKS.items():
        yield outcome(name, _everywhere, check, suggest, spaces)


def _everywhere(check: Callable[[Suggest, Space], None], suggest: Suggest, spaces: dict[str, Space]) -> str:
    if check is used_up:
        spaces = FINITE
    for name, space in spaces.items():
        try:
            check(suggest, space)
        except Wrong as wrong:
            raise Wrong(f"space {name} ({'; '.join(f'{axis.path}={axis}' for axis in space.axes)}): {wrong}") from None
    return f"{len(spaces)} spaces"


def refuses(suggest: Suggest, space: Space) -> bool:
    """True for a sampler that says in a SpecError that it is not for such a space."""
    try:
        suggest(space, [], random.Random(0), 1)
    except SpecError:
        return True
    except Exception:  # the checks tell it
        return False
    return False


def asked(suggest: Suggest, space: Space, seen: Sequence[Seen], count: int, seed: int = 0) -> list[Point]:
    """What the sampler suggests; its list is ours."""
    points = suggest(space, seen, random.Random(seed), count)
    require(isinstance(points, list), f"suggest gives {type(points).__name__}: give a list of points.")
    require(len(points) <= count, f"suggest gives {len(points)} points where {count} were asked for.")
    return points


def result(space: Space, point: Point) -> Seen:
    """A finished run: a bowl, positive on one side."""
    place = space.encode(point)
    value = sum((x - 0.3) ** 2 for x in place)
    positive = place[0] > 0.4
    return Seen(point, True, value, positive, 100.0 * (1 + value) if positive else None)


def history(suggest: Suggest, space: Space, count: int, calls: int, seed: int = 0) -> list[Seen]:
    """What a search has seen after some calls: of each batch the last point is still unfinished."""
    seen: list[Seen] = []
    for _ in range(calls):
        *done, last = asked(suggest, space, seen, count, seed) or [{}]
        require(last, f"suggest gives no points after {len(seen)}, of a space with more.")
        seen += [result(space, point) for point in done] + [Seen(last, False)]
    return seen


def in_space(suggest: Suggest, space: Space) -> None:
    """Points lie in the space, as many as were asked for."""
    seen = history(suggest, space, 4, 2)
    require(len(seen) == 8, f"two calls for 4 points give {len(seen)}.")
    for run in seen:
        require(
            space.contains(run.point),
            f"{run.point} is no point of it: a value for each axis that applies, in its range.",
        )
        for axis in space.axes:
            value = run.point.get(axis.path)
            require(not axis.integer or isinstance(value, int), f"{axis.path}={value!r} is not a whole number.")


def new(suggest: Suggest, space: Space) -> None:
    """No point comes twice, also while points are unfinished."""
    keys = [point_key(run.point) for run in history(suggest, space, 3, 3)]
    require(len(keys) == 9, f"three calls for 3 points give {len(keys)}.")
    again = next((key for key in keys if keys.count(key) > 1), None)
    require(again is None, f"{again} is suggested twice: leave out the points of seen, finished or not.")


def pure(suggest: Suggest, space: Space) -> None:
    """The same past and the same random numbers give the same points after any call."""
    seen = history(suggest, space, 4, 2)
    for known in ([], seen[:4], seen):
        first, again = (asked(suggest, space, list(known), 3, seed=7) for _ in range(2))
        require(first == again, f"the same call gives {first} and then {again}: {MEND}.")


def none_asked(suggest: Suggest, space: Space) -> None:
    """Nothing asked is nothing given."""
    points = asked(suggest, space, [], 0)
    require(points == [], f"0 points asked for, {points} given.")


def used_up(suggest: Suggest, space: Space) -> None:
    """A finite space ends when all of it was given."""
    first = [result(space, point) for point in asked(suggest, space, [], 4)]
    rest = asked(suggest, space, first, 99)
    keys = {point_key(point) for point in [*(run.point for run in first), *rest]}
    require(
        (len(rest), len(keys)) == ((space.size or 0) - 4, space.size),
        f"of {space.size} points {len(first)} are given and then {len(rest)}, {len(keys)} different ones in all.",
    )
    more = asked(suggest, space, [*first, *(Seen(point, False) for point in rest)], 5)
    known = {point_key(run.point) for run in first}
    new_ones = [point for point in more if point_key(point) not in known]
    require(not new_ones, f"all points are given, and {new_ones} comes again while it is unfinished: give [] then.")


def failures(suggest: Suggest, space: Space) -> None:
    """Runs without a value, which failed or were censored, are taken as they are."""
    seen: list[Seen] = [Seen(point, True) for point in asked(suggest, space, [], 4)]
    count = len(asked(suggest, space, seen, 2))
    require(count == 2, f"after 4 runs that failed, {count} of 2 points are given.")


CHECKS: dict[str, Callable[[Suggest, Space], None]] = {
    "points": in_space,
    "new points": new,
    "pure": pure,
    "none asked": none_asked,
    "used up": used_up,
    "failed runs": failures,
}
