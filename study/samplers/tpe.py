"""Tree-structured Parzen estimator: points that look more like the best ones than like the others.

Source: Bergstra et al. 2011; Watanabe 2023 (arXiv 2304.11127) for the multivariate kernel. It is Optuna's
`TPESampler`.
"""

import random
from collections.abc import Sequence

from optuna.samplers import TPESampler

from study.samplers._optuna import ask
from study.search.space import Seen, Space
from study.spec import Point

MOST = 500
"""Largest number of finished points to build the estimator from: a call then takes tens of milliseconds."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` points where a small objective is likely; unfinished points count as bad ones (constant liar)."""
    return ask(lambda seed: TPESampler(seed=seed, multivariate=True, constant_liar=True), space, seen, rng, count, MOST)
