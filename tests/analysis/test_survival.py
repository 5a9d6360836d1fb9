"""Steps to generalize: published survival data through the store, and what becomes of runs that did not generalize."""

import numpy as np
import pytest
from scipy import stats

import analysis
from analysis.charts import NotApplicable
from analysis.log_ranks import compared
from analysis.survivals import kaplan_meier
from tests.support.synthetic import run, write_study
from trainables.components import load
from trainables.errors import SpecError

PLACEBO = [1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8]
TREATED = [10, 7, 32, 23, 22, 6, 16, 34, 32, 25, 11, 20, 19, 6, 17, 35, 6, 13, 9, 6, 10]
RELAPSED = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0]
"""Weeks of remission of 21 pairs of patients, and which of the treated relapsed (all others did).
source: Freireich et al. 1963, as in Klein & Moeschberger, Survival Analysis, table 1.1."""


def watched(name, step, reached, point, last=36, **facts):
    """A run that is evaluated at every step up to `last`, or up to `step` if it does not reach it."""
    at = list(range((last if reached else step) + 1))
    curves = {"train.accuracy": [1.0] * len(at)}
    return run(name, curves | {"test.accuracy": [float(reached and i >= step) for i in at]}, point, at, **facts)


@pytest.fixture(scope="module")
def remission(tmp_path_factory):
    runs = [
        watched(f"{arm}-{pair}", week, reached, {"arm": arm, "pair": f"p{pair:02}"})
        for arm, weeks, ended in ((0, PLACEBO, [1] * 21), (1, TREATED, RELAPSED))
        for pair, (week, reached) in enumerate(zip(weeks, map(bool, ended), strict=True))
    ]
    return write_study(tmp_path_factory.mktemp("remission"), runs, {"arm": [0, 1], "pair": []})


def test_medians_of_the_remission_data_are_the_published_ones(remission):
    table = analysis.median_steps(remission, "toy", by="arm").set_index("arm")
    assert table["median"].tolist() == [8, 23]
    assert table["reached"].tolist() == [21, 9]
    assert table["low"].tolist() == [4, 13]
    assert table["high"].tolist() == [11, pytest.approx(np.nan, nan_ok=True)]


def test_the_curve_of_the_remission_data_is_the_published_one(remission):
    table = analysis.survival(remission, "toy", by="arm")
    treated = table[table["arm"] == 1].set_index("step")
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert treated.loc[list(published), "share"].to_dict() == pytest.approx(published, abs=5e-4)
    assert treated.loc[23, ["low", "high"]].tolist() == pytest.approx([0.188, 0.680], abs=5e-4)
    assert treated.loc[10, ["at_risk", "events", "censored"]].tolist() == [15, 1, 1]
    assert (table[table["step"] == 0]["share"] == 1).all()


def test_the_log_rank_test_of_the_remission_data(tmp_path, remission):
    """16.79 is published; by pairs the test is the sign test of the 18 pairs against 3, whose square is 225 / 21."""
    alone = [watched(f"{arm}-{i}", week, reached, {"arm": arm}) for arm, weeks, ended in
             ((0, PLACEBO, [1] * 21), (1, TREATED, RELAPSED))
             for i, (week, reached) in enumerate(zip(weeks, map(bool, ended), strict=True))]  # fmt: skip
    [row] = analysis.log_rank(write_study(tmp_path, alone, {"arm": [0, 1]}), "toy").to_dict("records")
    assert (row["statistic"], row["freedom"]) == (pytest.approx(16.793, abs=5e-4), 1)
    assert row["p"] == pytest.approx(4.17e-5, rel=1e-3)
    by_pair = analysis.log_rank(remission, "toy").set_index("axis")
    assert by_pair.loc["arm", "statistic"] == pytest.approx(225 / 21)


def test_two_groups_in_one_stratum_are_those_of_scipy():
    random = np.random.default_rng(1)
    steps, reached, group = random.integers(1, 15, 60), random.random(60) < 0.7, random.integers(0, 2, 60)
    theirs = stats.logrank(
        *(stats.CensoredData.right_censored(steps[group == g], ~reached[group == g]) for g in (0, 1))
    )
    ours = compared(steps.astype(float), reached, group, np.zeros(60, int))
    assert ours["statistic"] == pytest.approx(theirs.statistic**2)
    assert ours["p"] == pytest.approx(theirs.pvalue)


def test_without_a_difference_one_test_in_twenty_says_that_there_is_one():
    random, below = np.random.default_rng(0), 0
    group, stratum = np.tile([0, 1, 2], 20), np.repeat([0, 1], 30)
    for _ in range(300):
        steps = np.ceil(random.exponential(10 + 30 * stratum))
        found = compared(np.minimum(steps, 40), steps <= 40, group, stratum)
        below += found["p"] < 0.05
        assert found["freedom"] == 2
    assert 5 <= below <= 27


def test_strata_take_away_what_another_axis_does():
    """All slow runs are in stratum 1, where group 1 has most of its runs: without strata the groups seem to differ."""
    random = np.random.default_rng(0)
    stratum = np.repeat([0, 1], 60)
    group = np.r_[np.tile([0, 0, 0, 1], 15), np.tile([0, 1, 1, 1], 15)]
    steps = np.ceil(random.exponential(np.where(stratum, 200, 10)))
    assert compared(steps, steps > 0, group, np.zeros(120, int))["p"] < 0.001
    assert compared(steps, steps > 0, group, stratum)["p"] > 0.05
    assert np.isnan(compared(steps, steps > 0, group, np.arange(120))["p"]), "alone in a stratum, nothing compares"


def test_runs_that_did_not_finish_count(tmp_path):
    """Of twenty runs ten generalize, by step 19 at most. Their mean is 14.5; half of all have by 19 and no sooner."""
    runs = [watched(f"r{i}", 10 + i if i < 10 else 36, i < 10, {"a": 1}, seed=i) for i in range(20)]
    store = write_study(tmp_path, runs, {"a": [1]})
    finished = store.runs("toy")["test_step_90"]
    assert finished.mean() == 14.5
    [row] = analysis.median_steps(store, "toy").to_dict("records")
    assert (row["median"], row["reached"], row["runs"]) == (19, 10, 20)
    assert np.isnan(row["high"])


def test_a_run_that_diverged_stays_in_the_share_and_one_that_was_lost_leaves_it(tmp_path):
    def curve(reason, status="finished"):
        runs = [watched(f"{reason}{i}", 30, True, {"a": 1}, seed=i) for i in range(2)]
        runs += [watched(f"{reason}{i}", 10, False, {"a": 1}, seed=i, horizon=36, stop_reason=reason, status=status)
                 for i in (2, 3)]  # fmt: skip
        store = write_study(tmp_path / str(reason), [facts | {"horizon": 36} for facts in runs], {"a": [1]})
        return analysis.survival(store, "toy").set_index("step")

    diverged, pruned = curve("diverged"), curve("pruned")
    assert diverged.loc[30, ["at_risk", "share"]].tolist() == [4, 0.5]
    assert diverged.loc[36, "censored"] == 2
    assert pruned.loc[10, "censored"] == 2
    assert pruned.loc[30, ["at_risk", "share"]].tolist() == [2, 0]


def test_shares_of_one_and_none_have_intervals():
    table = kaplan_meier(np.full(10, 5.0), np.zeros(10, bool))
    assert table[["share", "low", "high"]].iloc[-1].tolist() == [1, pytest.approx(0.025 ** (1 / 10)), 1]
    table = kaplan_meier(np.full(10, 5.0), np.ones(10, bool))
    assert table[["share", "low", "high"]].iloc[-1].tolist() == [0, 0, pytest.approx(1 - 0.025 ** (1 / 10))]
    table = kaplan_meier(np.arange(1.0, 11), np.ones(10, bool))
    assert table["high"].is_monotonic_decreasing
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()


def test_the_level_can_be_chosen_and_mistakes_are_told(remission):
    assert analysis.median_steps(remission, "toy", level=99)["reached"].tolist() == [30]
    with pytest.raises(SpecError, match=r"level must be one of 50, 90, 95, 99 \(percent of accuracy\), got 80"):
        analysis.survival(remission, "toy", level=80)
    with pytest.raises(SpecError, match=r"no axis 'arms'. Did you mean 'arm'"):
        analysis.survival(remission, "toy", by="arms")
    with pytest.raises(SpecError, match=r"no axis 'arms'. Did you mean 'arm'"):
        analysis.log_rank(remission, "toy", "arms")


def test_values_of_an_axis_are_compared_two_by_two_and_many_are_taken_together(tmp_path):
    runs = [watched(f"r{i}", 5 + i if i < 30 else 36, i < 30, {"a": i / 10, "b": i % 3}, seed=i) for i in range(36)]
    store = write_study(tmp_path, runs, {"a": [0, 3.5], "b": [0, 1, 2]})
    assert set(analysis.survival(store, "toy", by="a")["a"]) == {"0 to 1.17", "1.17 to 2.33", "2.33 to 3.5"}
    assert len(analysis.survival(store, "toy", by=["a", "b"]).groupby(["a", "b"])) == 9
    table = analysis.log_rank(store, "toy", "b")
    assert list(zip(table["a"], table["b"], strict=True)) == [("all", "all"), (0, 1), (0, 2), (1, 2)]
    pairs = table[1:]
    assert pairs["p_holm"].min() == pytest.approx(min(1, 3 * pairs["p"].min()))
    assert (table["p_holm"] >= table["p"]).all()


def test_the_chart_has_a_panel_for_each_axis_with_runs_enough(remission, tmp_path):
    spec = load("analysis.charts", "survival").chart(remission, "toy").to_dict()
    [panel] = spec["concat"]
    assert panel["title"]["text"] == "arm: log-rank p = 0.0021"
    assert "71% reach it" in spec["title"]["subtitle"]
    all_reach = write_study(tmp_path, [watched(f"r{i}", 5, True, {"a": i % 2}) for i in range(20)], {"a": [0, 1]})
    with pytest.raises(NotApplicable, match="some generalize and some do not"):
        load("analysis.charts", "survival").chart(all_reach, "toy")
