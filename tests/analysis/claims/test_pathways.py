"""The columns and statistics of pathways, on runs of which the answer is known."""

import math

import pytest

from analysis.claim_check import ended_runs
from analysis.claims.pathways import CLAIMS, COLUMNS, more_than_on_random_labels, stronger_than_loss
from tests.support.synthetic import run, run_id_of, write_study
from trainables.examine import COLUMNS as PROBE_COLUMNS

AT = [100, 200, 300, 400, 500, 600, 700]


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
    """`a` comes together after its fit at step 300, `b` does not, `c` fits at its last look, `d` never does."""
    metrics = {"pathway_smoothness": [None, 0.1, 0.2, 0.3, 0.2, 0.5, 0.6], "top_edits": [0, 5, 4, 4, 3, 3, 2]}
    curves = {name: {"panel_distance": [0.3, 0.5, 0.8, 0.7, 0.6, 0.4, 0.5], **metrics} for name in "abcd"}
    curves["b"]["panel_distance"] = [0.3, 0.5, 0.8, 0.8, 0.8, 0.8, 0.9]
    fits = {"a": [0.5, 0.9] + 5 * [1.0], "b": [0.5, 0.9] + 5 * [1.0], "c": 6 * [0.9] + [1.0], "d": 7 * [0.5]}
    losses = [5.0, 4.0, 2.0, 1.0, 0.8, 0.6, 0.5]
    runs = [
        run(name, {"train.accuracy": fits[name], "train.loss": losses}, at=AT, horizon=700, steps=700)
        for name in "abcd"
    ]
    store = write_study(tmp_path_factory.mktemp("store"), runs, findings=findings(curves), study="toy")
    rows = {row["run_id"]: row for row in ended_runs(store, "toy", 700, COLUMNS)}
    return {name: rows[run_id_of(name)] for name in curves}


def test_changes_are_those_from_the_fit_to_the_end(found):
    a, b = found["a"], found["b"]
    assert (a["distance_change"], b["distance_change"]) == pytest.approx((-0.3, 0.1))
    assert (a["edits_change"], a["smoothness_change"], a["loss_change"]) == pytest.approx((-2, 0.4, math.log(0.25)))
    assert a["distance_while_fitting"] == pytest.approx(0.5)
    assert found["c"]["distance_change"] is None, "one look has no change"
    assert found["d"]["distance_change"] is None


def pathway_run(random: bool, **columns: float) -> dict:
    point = {"task.labels": "random"} if random else {}
    return {"point": point, "distance_change": -0.1, "loss_change": -1.0, "final_test_accuracy": 0.0} | columns


def test_runs_on_random_labels_are_subtracted(found):
    runs = [pathway_run(False, distance_change=-0.3), pathway_run(False, distance_change=-0.1), pathway_run(True)]
    assert more_than_on_random_labels("distance_change", -1, runs) == pytest.approx(-0.1)
    assert math.isnan(more_than_on_random_labels("distance_change", -1, runs[:2]))
    assert more_than_on_random_labels("distance_change", -1, [*runs, found["d"]]) == pytest.approx(-0.1)
    apart = [*runs, pathway_run(True, distance_change=0.4)]
    assert more_than_on_random_labels("distance_change", -1, apart) == pytest.approx(-0.2), (
        "no more than it falls itself"
    )
    assert all(math.isnan(claim.statistic([])) for claim in CLAIMS)


def test_the_distance_is_compared_with_the_loss_over_all_runs():
    def runs(told_by: str) -> list[dict]:
        facts = [(False, 1.0), (False, 0.8), (True, 0.05), (True, 0.04)]
        return [pathway_run(random, final_test_accuracy=share, **{told_by: -share}) for random, share in facts]

    unsorted = (2, 4, 1, 3)
    told = [pathway | {"loss_change": value} for pathway, value in zip(runs("distance_change"), unsorted, strict=True)]
    assert stronger_than_loss(told) > 0.5
    told = [pathway | {"distance_change": value} for pathway, value in zip(runs("loss_change"), unsorted, strict=True)]
    assert stronger_than_loss(told) < -0.5
