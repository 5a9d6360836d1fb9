"""Gaussian process with expected improvement.

Source: Jones et al. 1998, in the logarithmic form of Ament et al. 2023 (arXiv 2310.20708). It is Optuna's `GPSampler`.
"""

import random
from collections.abc import Sequence

from optuna.samplers import GPSampler

from study.samplers._optuna import ask
from study.search.space import Seen, Space
from study.spec import Point

MOST = 150
"""Largest number of finished points to fit, because the cost grows with its cube."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` points with the most expected improvement; unfinished points count at the model's expectation."""
    return ask(lambda seed: GPSampler(seed=seed), space, seen, rng, count, MOST)
