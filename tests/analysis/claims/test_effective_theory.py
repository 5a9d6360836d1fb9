"""The statistics of effective_theory, on runs of which the answer is known."""

import csv
import math
from pathlib import Path

import pytest

from analysis.claims.effective_theory import (
    confusion_with_decay,
    memorization_with_rate,
    num_phases,
    phase,
    place_of_grokking,
    quality_of_generalizers,
)

LIU = Path(__file__).parents[4] / "shared/reference/data/liu2022_grids.csv"
STEPS = {"confusion": (None, None), "memorization": (10, None), "comprehension": (10, 20), "grokking": (10, 800)}


def run(name, rate, decay, rqi=0.0):
    train, test = STEPS[name]
    facts = {"learning_rate": rate, "weight_decay": decay, "horizon": 10_000, "rqi": rqi}
    return facts | {"train_step_90": train, "test_step_90": test}


WORLD = [
    *(run("comprehension", 1, decay, 0.9) for decay in (0, 1, 1)),
    *(run("grokking", 2, decay, 0.8) for decay in (0, 1, 1)),
    *(run("memorization", 3, decay, 0.1) for decay in (0, 1, 1)),
    *(run("confusion", rate, 2, 0.2) for rate in (1, 2, 3)),
]


def test_phases_are_those_of_the_papers_table_on_another_horizon():
    for name in STEPS:
        assert phase(run(name, 1, 1)) == name
    assert phase(run("comprehension", 1, 1) | {"test_step_90": 109}) == "comprehension"
    assert phase(run("comprehension", 1, 1) | {"test_step_90": 110}) == "grokking"


def test_a_phase_counts_where_most_runs_of_a_point_are_in_it():
    assert num_phases(WORLD) == 4
    assert num_phases([r for r in WORLD if phase(r) != "grokking"]) == 3
    assert num_phases([run(name, 1, 1) for name in STEPS]) == 0
    assert math.isnan(num_phases([]))


def test_confusion_rises_with_decay_and_memorization_with_the_rate():
    assert confusion_with_decay(WORLD) > 0.8
    assert memorization_with_rate(WORLD) > 0.8
    assert math.isnan(confusion_with_decay([run("confusion", 1, 1)]))


def test_grokking_has_its_place_by_decay_between_comprehension_and_what_lies_above_it():
    column = [run("comprehension", 1, 0), run("comprehension", 1, 2), run("grokking", 1, 3), run("confusion", 1, 5)]
    assert place_of_grokking(column) == pytest.approx((3 - 1) / (5 - 1))
    below = run("memorization", 1, 1)
    assert place_of_grokking([*column, below]) == place_of_grokking(column), "it has less decay than comprehension"
    other = [run("comprehension", 2, 4), run("grokking", 2, 3), run("memorization", 2, 5)]
    assert place_of_grokking(other) == -1
    assert place_of_grokking([*column, *other]) == pytest.approx((0.5 - 1) / 2), "the mean over rates"
    assert math.isnan(place_of_grokking([r for r in column if phase(r) != "confusion"]))
    assert math.isnan(place_of_grokking([r for r in column if phase(r) != "grokking"]))


@pytest.mark.skipif(not LIU.exists(), reason="the authors' grids are not here")
def test_the_authors_own_grids_have_grokking_there():
    grids: dict[str, list[dict]] = {}
    with LIU.open() as file:
        for row in csv.DictReader(file):
            if row["axis_y_name"] == "decoder_weight_decay":
                train, test = (int(row[name]) if row[name] else None for name in ("train_step", "test_step"))
                facts = {"learning_rate": float(row["axis_x"]), "weight_decay": float(row["axis_y"])}
                facts |= {"train_step_90": train, "test_step_90": test, "horizon": 100_000}
                assert phase(facts) == row["phase"]
                grids.setdefault(row["figure_grid"], []).append(facts)
    places = {name: place_of_grokking(runs) for name, runs in grids.items()}
    expected = {"addition_regression_coarse": 0.577, "addition_classification": 0.518, "addition_regression": 0.577}
    assert places == pytest.approx(expected, abs=1e-3)


def test_quality_is_compared_between_runs_that_generalize_and_all_others():
    assert quality_of_generalizers(WORLD) == pytest.approx(0.85 - 0.15)
    assert math.isnan(quality_of_generalizers(WORLD[:3]))
