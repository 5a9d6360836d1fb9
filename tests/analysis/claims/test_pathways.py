"""The columns and statistics of pathways, on runs of which the answer is known."""

import math
from statistics import correlation

import pytest

from analysis.claim_check import ended_runs
from analysis.claims.pathways import CLAIMS, COLUMNS, change, mean_of, stronger_than_loss
from tests.support.synthetic import run, run_id_of, write_study
from trainables.examine import COLUMNS as PROBE_COLUMNS

AT = [100, 200, 300, 400, 500, 600, 700]
ACCURACY = [0.0, 0.2, 0.05, 0.4, 0.6, 1.0, 1.0]
"""Rises from step 300 on, and is as high as it will be at 600."""
OF_NAME = {claim.name: claim for claim in CLAIMS}


def findings(curves: dict[str, dict[str, list]]) -> dict[str, list]:
    """Columns of `probes`, of values by run and metric; None was not found."""
    rows = [
        (run_id_of(name), step, "pathway", 3, "all", metric, value)
        for name, metrics in curves.items()
        for metric, values in metrics.items()
        for step, value in zip(AT, values, strict=True)
        if value is not None
    ]
    return {column: [row[i] for row in rows] for i, column in enumerate(PROBE_COLUMNS)}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """`a` does what the paper says, `b` has memorized at three looks of its rise alone, `c` never rises."""
    falling = [None, 0.9, 0.8, 0.7, 0.6, 0.4, 0.9]
    smooth = [0.1, 0.1, 0.1, 0.3, 0.2, 0.5, 0.0]
    panel = [0.3, 0.5, 0.8, 0.7, 0.6, 0.4, 0.9]
    edits = [0, 0, 3, 4, 5, 7, 0]
    measured = {"pathway_edits": edits, "pathway_smoothness": smooth, "panel_distance": panel}
    curves = {
        "a": {"pathway_distance": falling, **measured},
        "b": {"pathway_distance": [None, None, None, 0.7, 0.6, 0.4, 0.9], **measured},
        "c": {"pathway_distance": falling, **measured},
    }
    runs = [
        run(name, {"test.accuracy": accuracy, "train.loss": loss}, at=AT, horizon=700, steps=700)
        for name, accuracy, loss in (
            ("a", ACCURACY, [5, 4, 3, 1, 2, 3, 9]),
            ("b", ACCURACY, [5, 4, 3, 2, 1, 0, 9]),
            ("c", [0.0] * 7, [1.0] * 7),
        )
    ]
    store = write_study(tmp_path_factory.mktemp("store"), runs, findings=findings(curves), study="toy")
    rows = {row["run_id"]: row for row in ended_runs(store, "toy", 700, COLUMNS)}
    return {name: rows[run_id_of(name)] for name in curves}


def test_correlations_are_those_of_the_rise_of_what_is_memorized(found):
    rise = [0.05, 0.4, 0.6, 1.0]
    expected = {"distance": [0.8, 0.7, 0.6, 0.4], "smoothness": [0.1, 0.3, 0.2, 0.5], "loss": [3, 1, 2, 3]}
    expected["edits"] = [3, 4, 5, 7]
    for name, values in expected.items():
        assert found["a"][f"{name}_with_accuracy"] == pytest.approx(correlation(values, rise))
    assert found["b"]["distance_with_accuracy"] is None
    assert mean_of("distance_with_accuracy", list(found.values())) == found["a"]["distance_with_accuracy"]


def test_distances_are_those_of_the_first_look_of_the_onset_and_of_the_highest_accuracy(found):
    for name in ("a", "b"):
        places = [found[name][f"distance_at_{place}"] for place in ("first", "onset", "top")]
        assert places == [0.3, 0.8, 0.4]
    runs = list(found.values())
    assert change("distance_at_first", "distance_at_onset", runs) == pytest.approx(0.5)
    assert OF_NAME["distance_falls_afterwards"].statistic(runs) == pytest.approx(-0.4)


def test_a_run_that_never_rises_says_nothing(found):
    assert all(math.isnan(claim.statistic([found["c"]])) for claim in CLAIMS)
    assert all(math.isnan(claim.statistic([])) for claim in CLAIMS)


def test_distance_is_compared_with_the_loss_within_runs(found):
    runs = [
        {"distance_with_accuracy": -0.9, "loss_with_accuracy": 0.5},
        {"distance_with_accuracy": 0.3, "loss_with_accuracy": -0.9},
        {"distance_with_accuracy": math.nan, "loss_with_accuracy": 0.1},
        {"distance_with_accuracy": None, "loss_with_accuracy": 0.1},
    ]
    assert stronger_than_loss(runs) == pytest.approx((0.4 - 0.6) / 2)
    assert OF_NAME["loss_tells_less"].statistic(list(found.values())) > 0.5
