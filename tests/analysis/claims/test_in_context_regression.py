"""The statistics of in_context_regression: their columns from made-up metrics, the numbers from made-up runs."""

import math

import pytest

from analysis.claim_check import ended_runs
from analysis.claims.in_context_regression import (
    DISTANCES,
    excess_of_many,
    forgetting,
    memorizers_excess,
    share_of_few,
    share_of_many,
    threshold,
)
from tests.support.synthetic import run, write_study

NAME = "in_context_regression"
STATISTICS = (share_of_few, share_of_many, threshold, memorizers_excess, excess_of_many, forgetting)


def made_up():
    """Tasks -> share of ridge at the end, the highest before; ridge's own loss on new tasks is 1."""
    shares = {4: (0.1, None), 16: (0.3, 0.7), 64: (0.7, 0.7), 256: (0.9, 0.9)}
    return [
        {"point": {"task.num_tasks": count}, "seed": seed, "ridge_share": end + change, "highest_ridge_share": highest,
         "separation": 8 / count, "to_ridge": 4 / count**1.5, "new_task_loss": 1 + 4 / count**1.5}
        for count, (end, highest) in shares.items()
        for seed, change in enumerate((-0.1, 0.1))
    ]  # fmt: skip


def test_the_share_of_ridge_and_the_number_of_tasks_where_it_passes_a_half():
    runs = made_up()
    assert share_of_few(runs) == pytest.approx(0.1)
    assert share_of_many(runs) == pytest.approx(0.9)
    assert threshold(runs) == pytest.approx(5)  # half of the way from 16 to 64 in log2
    assert math.isnan(threshold(runs[:4]))
    assert math.isnan(threshold(runs[4:]))


def test_what_is_lost_on_new_tasks_is_compared_above_the_threshold():
    assert memorizers_excess(made_up()) == pytest.approx((math.log(2 * 64**0.5) + math.log(2 * 256**0.5)) / 2)
    assert math.isnan(memorizers_excess(made_up()[:4]))  # never nearer to ridge
    assert excess_of_many(made_up()) == pytest.approx(4 / 256**1.5)


def test_forgetting_is_to_have_been_nearer_to_ridge():
    assert forgetting(made_up()) == 1.0  # with 16 tasks both
    assert forgetting([run for run in made_up() if run["point"]["task.num_tasks"] != 16]) == 0.0


def test_runs_that_cannot_tell_say_nothing():
    nothing = dict.fromkeys(("ridge_share", "highest_ridge_share", "separation", "to_ridge", "new_task_loss"))
    for statistic in STATISTICS:
        assert math.isnan(statistic([]))
        assert math.isnan(statistic([one | nothing for one in made_up()]))


def test_columns_are_distances_at_the_end_and_leave_out_the_untrained_network(tmp_path):
    """On a line: dMMSE answers 0, ridge 2, halfway is 1; the network 3.5 untrained, then 1.5, at last 0.5."""
    answers = {0: 3.5, 10: 1.5, 100: 0.5}
    where = {"memorizer": 0.0, "generalizer": 2.0, "midway": 1.0, "ood": 2.5}
    curves = {f"{split}.loss": [(own - answer) ** 2 for own in answers.values()] for split, answer in where.items()}
    point = {"task.num_tasks": 4}
    store = write_study(tmp_path, [run("0123456789abcdef", curves, point, list(answers), steps=100)], {}, study=NAME)
    (one,) = ended_runs(store, NAME, 100, DISTANCES)
    assert one["separation"] == pytest.approx(4)
    assert one["ridge_share"] == pytest.approx(0.25)
    assert one["highest_ridge_share"] == pytest.approx(0.75)  # 1.75 untrained
    assert one["to_ridge"] == pytest.approx(2.25)
    assert one["new_task_loss"] == pytest.approx(4)
