"""Whether the claims of a system can be passed by a trivial learner: what controls of all systems share."""

from collections.abc import Callable, Mapping
from types import ModuleType

import numpy as np
import pytest

from analysis.claim import Checked, Claim, Runs
from analysis.claim_check import value_and_ends
from analysis.interval import fewest_seeds

SEEDS = 6
Control = Callable[[np.random.Generator], Runs]


def verdict(claim: Claim, runs: Runs) -> str:
    """As `study claims` would say it of these runs."""
    found = Checked("", claim, "control", len(runs), len(runs), *value_and_ends(claim, runs), SEEDS)
    assert fewest_seeds(runs) == SEEDS
    return found.verdict


def cases(controls: dict[Control, ModuleType], true_of_it: Mapping[Control, set[str]]) -> list:
    """A test case for each claim on a small study of the systems, but for those that the control does show."""
    return [
        pytest.param(control, claim, id=f"{control.__name__}-{claim.name}")
        for control, module in controls.items()
        for claim in module.CLAIMS
        if not claim.studies[0].endswith("_paper") and claim.name not in true_of_it.get(control, set())
    ]
