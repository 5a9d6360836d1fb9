"""An invented study of composition over four axes, whose critical ratio is known everywhere."""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from study.store.database import Store
from tests.support.synthetic import run, write_study

LAYERS, RATIO, DECAY, ENTITIES = "model.layers", "task.ratio", "optimizer.weight_decay", "task.entities"
GRID = {
    LAYERS: [1, 2, 3],
    RATIO: [4.0, 5.0, 6.0, 8.0],
    DECAY: [0.03, 0.1, 0.3, 1.0, 3.0],
    ENTITIES: [16, 20, 28],
}
RANGES = {LAYERS: [1, 2, 3], RATIO: [4.0, 8.0], DECAY: [0.03, 3.0], ENTITIES: [16, 28]}
STEPS = [0, *(round(10 ** (i / 8)) for i in range(33))]
"""Evaluated up to step 10,000, eight times a decade."""
Point = dict[str, Any]


def critical_ratio(point: Point) -> float:
    """The ratio at which half of the seeds generalize: lower with more weight decay and with more layers."""
    return 6.0 - 1.4 * math.log10(point[DECAY] / 0.3) - 0.4 * (point[LAYERS] - 2) + 0.03 * (point[ENTITIES] - 20)


def written(
    folder: Path,
    points: Sequence[Point],
    axes: dict[str, Any] = GRID,
    seeds: int = 3,
    noise: float = 0.35,
    critical: Callable[[Point], float] = critical_ratio,
    sign: int = 1,
    numbers: int = 0,
    **spec: Any,
) -> Store:
    """The store of the study `toy`. A run generalizes if its ratio is above its critical value, which varies by `noise`
    over seeds, and the later the nearer it is; runs that are too near do not by the horizon. With `sign` -1 it
    generalizes below: 12 minus its ratio is what counts."""
    random, runs = np.random.default_rng(numbers), []
    for i, point in enumerate(points):
        for seed in range(seeds):
            ratio = point[RATIO] if sign > 0 else 12 - point[RATIO]
            above = ratio - critical(point) + noise * float(random.standard_normal())
            late = [1.0 if above > 0 and step >= 600 + 2500 / (above + 0.3) else 0.05 for step in STEPS]
            curves = {"train.accuracy": [float(step >= 100) for step in STEPS], "test.accuracy": late}
            curves |= {"ood.accuracy": [0.05] * len(STEPS)}
            facts = {"ratio": point[RATIO], "task": "composition", "seed": seed}
            runs.append(run(f"{i:04}-{seed}", curves, point, STEPS, **facts))
    return write_study(folder, runs, axes, "Which axis decides?", definition="wang2024", **spec)


def grid() -> list[Point]:
    """All combinations of the levels, 180 points."""
    return [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]


def search(count: int, numbers: int = 0) -> list[Point]:
    """Points of a search over the ranges; whole numbers on two axes, logarithms of weight decay."""
    random = np.random.default_rng(numbers)
    return [
        {
            LAYERS: int(random.integers(1, 4)),
            RATIO: round(random.uniform(4, 8), 4),
            DECAY: float(f"{10 ** random.uniform(math.log10(0.03), math.log10(3)):.4g}"),
            ENTITIES: int(random.integers(16, 29)),
        }
        for _ in range(count)
    ]
