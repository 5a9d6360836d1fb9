"""A store with invented studies for tests of the live page: some cells generalize, some memorize."""

from pathlib import Path

from study.store.database import Store
from tests.support.synthetic import STEPS, run, step_up, write_study

DECAY, WIDTH = "optimizer.weight_decay", "model.width"
DECAYS, WIDTHS, SEEDS = (0.0, 0.1, 1.0), (8, 16, 32), 3
MARKUP = "<img src=x onerror=alert(1)>\"'&{{7*7}}"
"""What must stay text wherever somebody else's words are shown."""


def curves(test_at: int | None, fit_at: int = 20) -> dict[str, list[float]]:
    """Accuracies that step up, losses that step down, and a norm."""
    train, test = step_up(fit_at), step_up(test_at)
    return {
        "train.accuracy": train,
        "test.accuracy": test,
        "train.loss": [1 - value for value in train],
        "test.loss": [1 - value for value in test],
        "model.weight_norm": [10.0 + step / 100 for step in STEPS],
    }


def generalizes(decay: float, width: int) -> int | None:
    """The step at which runs of a cell generalize, None = never."""
    return 500 if decay >= 1 else 200 if decay and width >= 32 else None


def map_runs(prefix: str = "r", seeds: int = SEEDS, **facts: object) -> list[dict]:
    """The runs of a map of decay and width."""
    return [
        run(f"{prefix}-{decay}-{width}-{seed}", curves(generalizes(decay, width)), {DECAY: decay, WIDTH: width},
            seed=seed, **facts)
        for decay in DECAYS for width in WIDTHS for seed in range(seeds)
    ]  # fmt: skip


AXES = {DECAY: list(DECAYS), WIDTH: list(WIDTHS)}


def map_store(folder: Path, **spec: object) -> Store:
    """A store with the study `toy`, a map with a boundary."""
    return write_study(folder, map_runs(), AXES, "Where do networks generalize?", **spec)
