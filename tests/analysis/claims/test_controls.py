"""What a trivial learner shows must reproduce no claim: methods that do nothing, networks that learn nothing, noise.

Each control has runs with the points and seeds of a small study, and results in which there is nothing to find.
"""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims import (
    accelerators,
    circuits_competition,
    effective_theory,
    feature_emergence,
    feature_emergence_muon,
    omnigrok,
    repeated_data,
    sparse_parity,
)
from tests.support.controls import SEEDS, cases, verdict


def renamed_adamw(numbers: np.random.Generator) -> Runs:
    """Every method is AdamW under another name: the same delays at all points."""
    runs = []
    methods = [
        ("adamw", {}),
        ("adamw", {"loss": "stablemax"}),
        *((name, {}) for name in ("grokfast", "orthograd", "muon")),
    ]
    for (name, loss), rate, decay in itertools.product(methods, (0.01, 0.03, 0.1), (0.0, 0.3, 1.0)):
        point = {"optimizer": name, "optimizer.learning_rate": rate, "optimizer.weight_decay": decay} | loss
        for seed in range(SEEDS):
            steps = round(200 * math.exp(0.3 * numbers.normal()))
            facts = {"optimizer": name, "weight_decay": decay, "horizon": 1500, "seed": seed, "point": point}
            runs.append(facts | {"test_step_95": None if decay == 0 else steps})
    return runs


def deaf(numbers: np.random.Generator) -> Runs:
    """A network that fits a few examples whatever its width and data, and generalizes by chance of the seed."""
    runs = []
    for width, size in itertools.product((4, 8, 16, 32), (212, 264, 317, 370)):
        for seed in range(SEEDS):
            norms = {"initial_norm": 1.0, "norm_at_train_step": 1.0, "final_norm": math.exp(0.1 * numbers.normal())}
            facts = {"width": width, "data_size": size, "seed": seed} | norms
            facts |= {"phase": str(numbers.choice(["grokking", "memorization", "progression"]))}
            facts |= {"test_step_95": int(numbers.integers(500)) if numbers.random() < 0.5 else None}
            runs.append(facts | {"point": {"model.width": width, "task.data_size": size}})
    for width, seed in itertools.product((4, 8, 16, 32), range(SEEDS)):
        point = {"model.width": width, "task.data_size": 529, "task.labels": "random"}
        accuracy = 0.3 + 0.02 * numbers.normal()
        facts = {"width": width, "data_size": 529, "seed": seed, "final_train_accuracy": accuracy, "phase": "confusion"}
        runs.append(facts | {"point": point, "test_step_95": None})
    return runs


def shuffled_phases(numbers: np.random.Generator) -> Runs:
    """All phases everywhere, and representations as good in one as in another."""
    runs = []
    steps = ((None, None), (10, None), (10, 20), (10, 2000))
    for rate, decay in itertools.product((0.001, 0.003, 0.01, 0.03), (0.0, 1.0, 2.0, 3.0, 6.0)):
        for seed in range(SEEDS):
            train, test = steps[numbers.integers(4)]
            facts: dict[str, Any] = {"learning_rate": rate, "weight_decay": decay, "horizon": 10_000, "seed": seed}
            facts |= {"train_step_90": train, "test_step_90": test, "rqi": numbers.random()}
            runs.append(facts | {"point": {"rate": rate, "decay": decay}})
    return runs


def memorizer(numbers: np.random.Generator) -> Runs:
    """Generalizes where chance of the seed has it, decay or not, and its signal is noise."""
    runs = []
    for order, share, decay in itertools.product((11, 17, 23, 29, 37), (0.3, 0.4, 0.5, 0.6, 0.7), (0.0, 2e-4)):
        for seed in range(SEEDS):
            facts = {"data_size": round(share * order**2), "train_fraction": round(share * order**2) / order**2}
            facts |= {"weight_decay": decay, "seed": seed, "signal_norm": math.exp(numbers.normal())}
            facts |= {"signal_alignment": 0.1 * numbers.normal()}
            facts |= {"test_step_95": 100 if numbers.random() < share else None}
            runs.append(facts | {"point": {"task.group": f"Z{order}", "share": share, "decay": decay}})
    return runs


def any_optimizer(numbers: np.random.Generator) -> Runs:
    """Needs as many units with Muon as with AdamW, and keeps as many alive."""
    runs = []
    for name, width, seed in itertools.product(("adamw", "muon"), (12, 24, 48, 96), range(SEEDS)):
        facts = {"optimizer": name, "width": width, "seed": seed, "live_units": 0.9 + 0.05 * numbers.normal()}
        facts |= {"test_step_95": 100 if width > 24 * math.exp(0.3 * numbers.normal()) else None}
        runs.append(facts | {"point": {"optimizer": name, "model.width": width}})
    return runs


def untouched_by_repeats(numbers: np.random.Generator) -> Runs:
    """Losses that do not depend on how often and how much is repeated."""
    return [
        {
            "point": {"task.repeated_share": share, "task.repeats": repeats},
            "seed": seed,
            "fresh_loss": 1.5 + 0.02 * numbers.normal(),
            "repeated_loss": 1.5 + 0.02 * numbers.normal(),
        }
        for share, repeats, seed in itertools.product((0.1, 0.3, 0.5), (1, 16, 256, 3072), range(SEEDS))
    ]


def parities(numbers: np.random.Generator, late: float, live: tuple[float, float]) -> Runs:
    """A network that finds any bits in some hundred steps. From few examples it generalizes `late` times after it has
    fitted (infinite = never), and ends with `live` units for true labels and for random ones."""
    runs = []
    points: list[dict[str, Any]] = [{"task.n": n, "task.k": k} for n in (16, 24, 36, 54) for k in (2, 3)]
    few = {"task.n": 40, "task.k": 3, "task.data_size": 1000}
    for point, seed in itertools.product([*points, few, few | {"task.labels": "random"}], range(SEEDS)):
        fit = 500 * math.exp(0.3 * numbers.normal())
        fresh, random = "task.data_size" not in point, "task.labels" in point
        generalize = fit if fresh else math.inf if random else late * fit
        facts = {"seed": seed, "train_step_95": fit, "live_units": live[random] + 0.01 * numbers.normal()}
        facts["test_step_95"] = generalize if math.isfinite(generalize) else None
        runs.append(facts | {"point": point})
    return runs


def parities_at_once(numbers: np.random.Generator) -> Runs:
    """It generalizes when it fits, and uses all of its units for everything."""
    return parities(numbers, late=1.0, live=(0.95, 0.95))


def parities_memorized(numbers: np.random.Generator) -> Runs:
    """It never generalizes from few examples, and decay leaves few units in any case."""
    return parities(numbers, late=math.inf, live=(0.05, 0.05))


def scales(numbers: np.random.Generator, late: float | None) -> Runs:
    """A network that fits soon and generalizes `late` steps after (None = never), whatever its scale and decay."""
    runs = []
    for scale, decay, seed in itertools.product((0.5, 1.0, 2.0, 3.0), (0.05, 0.1, 0.2, 0.4), range(SEEDS)):
        fit, after = 20 * math.exp(0.3 * numbers.normal()), math.exp(0.3 * numbers.normal())
        facts: dict[str, Any] = {"weight_decay": decay, "horizon": 5000, "seed": seed, "train_step_95": fit}
        facts |= {"test_step_90": None if late is None else fit + late * after}
        runs.append(facts | {"point": {"model.init_scale": scale, "optimizer.weight_decay": decay}})
    return runs


def late_at_any_scale(numbers: np.random.Generator) -> Runs:
    """It groks everywhere."""
    return scales(numbers, late=500.0)


def memorizing_at_any_scale(numbers: np.random.Generator) -> Runs:
    """It never generalizes."""
    return scales(numbers, late=None)


CONTROLS = {
    renamed_adamw: accelerators,
    deaf: circuits_competition,
    shuffled_phases: effective_theory,
    memorizer: feature_emergence,
    any_optimizer: feature_emergence_muon,
    untouched_by_repeats: repeated_data,
    parities_at_once: sparse_parity,
    parities_memorized: sparse_parity,
    late_at_any_scale: omnigrok,
    memorizing_at_any_scale: omnigrok,
}
TRUE_OF_IT = {memorizer: {"fraction_is_constant"}}
"""Half of these runs generalize at one share, whatever the order."""


@pytest.mark.parametrize(("control", "claim"), cases(CONTROLS, TRUE_OF_IT))
def test_a_trivial_learner_reproduces_nothing(control, claim):
    assert verdict(claim, control(np.random.default_rng(0))) != REPRODUCED


def test_a_method_that_does_something_is_told_from_one_that_does_not():
    runs = renamed_adamw(np.random.default_rng(0))
    for run in runs:
        if run["optimizer"] == "muon" and run["test_step_95"]:
            run["test_step_95"] //= 3
    [claim] = [claim for claim in accelerators.CLAIMS if claim.name == "muon_over_tuned_adamw"]
    assert verdict(claim, runs) == REPRODUCED
