"""Suggestions of an Optuna sampler, which learns in a fresh Optuna study what a search has seen.

That study exists in memory for one call: the store is the only record. Points without a value are running trials in it,
which Optuna's samplers keep away from; so are the points that a call has already suggested.
"""

import random
import warnings
from collections.abc import Callable, Iterator, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import TrialState, create_trial

from study.samplers._fresh import fresh
from study.samplers._observed import observed, thinned
from study.search.space import Axis, Seen, Space
from study.spec import Point


def ask(
    make: Callable[[int], BaseSampler], space: Space, seen: Sequence[Seen], rng: random.Random, count: int, most: int
) -> list[Point]:
    """Up to `count` new points from the sampler `make(seed)`, which is told at most `most` finished points."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = random.Random(f"{rng.random()}/{len(seen)}").getrandbits(31)
    distributions = {axis.path: distribution(axis) for axis in space.axes}
    study = optuna.create_study(sampler=make(seed))
    for point, value in thinned(observed(seen), most):
        params = {axis.path: told(axis, point.get(axis.path, axis.decode(axis.middle))) for axis in space.axes}
        state = TrialState.RUNNING if value is None else TrialState.COMPLETE
        study.add_trial(create_trial(params=params, distributions=distributions, value=value, state=state))

    def draws() -> Iterator[Point]:
        while True:
            params = study.ask(distributions).params
            yield space.own({axis.path: asked(axis, params[axis.path]) for axis in space.axes})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's samplers announce that they are experimental
        return fresh(space, draws(), seen, count, otherwise=rng, patience=20)


def distribution(axis: Axis) -> BaseDistribution:
    """An axis as an Optuna distribution: listed numbers by their rank, words by their index."""
    if axis.values is not None and not axis.ordered:
        return CategoricalDistribution(tuple(range(len(axis.values))))
    if axis.values is not None:
        return IntDistribution(0, len(axis.values) - 1)
    low, high = axis.span
    if axis.integer:
        return IntDistribution(int(low), int(high), axis.log, axis.step)
    return FloatDistribution(low, high, axis.log)


def told(axis: Axis, value: object) -> float | int:
    """A value of the axis as the number that its distribution uses."""
    if axis.values is None:
        return value  # pyright: ignore[reportReturnType]
    return (sorted(axis.values) if axis.ordered else list(axis.values)).index(value)


def asked(axis: Axis, drawn: float | int) -> object:
    """The inverse of `told`, up to the digits of a point."""
    if axis.values is not None:
        return (sorted(axis.values) if axis.ordered else axis.values)[int(drawn)]
    return axis.decode(axis.encode(drawn))
