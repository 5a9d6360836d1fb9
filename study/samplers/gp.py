"""Gaussian process with expected improvement.

Source: Jones et al. 1998, with the logarithm of Ament et al. 2023 (arXiv 2310.20708). Optuna's `GPSampler`.
"""

import random
from collections.abc import Sequence

from optuna.samplers import GPSampler

from study.samplers._optuna import ask
from study.space import Seen, Space
from study.spec import Point

MOST = 150
"""Finished points that the process is fitted to: its cost grows with their cube."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` points that promise most improvement; unfinished points are taken for what the model expects."""
    return ask(lambda seed: GPSampler(seed=seed), space, seen, rng, count, MOST)
