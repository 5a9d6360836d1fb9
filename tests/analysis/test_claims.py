"""Claims: what each file must say, the interval, the verdict, and the command that prints them."""

import itertools
import json
import math
import re

import pytest
from click.testing import CliRunner

import analysis
from analysis import claim_check
from analysis.charts import claims as charts_claims
from analysis.claim import FEW_SEEDS, Checked, Claim, as_row
from analysis.claim_check import all_claims, check_claims, ended_runs
from analysis.interval import interval
from analysis.statistics import crossing, means, power, rank_correlation
from study.cli.main import cli
from study.spec import CATALOG, find
from study.store.database import Store
from tests.support.studies import small, trained
from tests.support.synthetic import run, run_id_of, step_up, write_study
from trainables.components import available
from trainables.errors import SpecError
from trainables.spec import RunSpec

ALL = list(all_claims())
WIDTHS = (4, 8, 16)
NAME = "circuits_competition"


def claim(**changes) -> Claim:
    given = {"name": "c", "says": "It is.", "source": "Somebody 2024 (arXiv 2401.00001)", "published": "1"}
    given |= {"studies": (NAME,), "statistic": lambda runs: float(len(runs)), "unit": "runs", "above": 0.0}
    return Claim(**(given | changes))


def test_every_study_with_claims_asks_for_five_seeds(subtests):
    for name in sorted({name for _, one in ALL for name in one.studies}):
        with subtests.test(study=name):
            assert find(name).seeds >= FEW_SEEDS


def test_runs_that_failed_do_not_stop_a_statistic(tmp_path_factory, subtests):
    """A run that failed has a point and no measures: a statistic gives its number of the others, or NaN."""
    for name in sorted({one.studies[0] for _, one in ALL}):
        study = find(name)
        specs = [study.run(point, 0) for point in study.points()[:80]]
        runs = [run(spec, {}, point, [0], status="failed") for spec, point in zip(specs, study.points(), strict=False)]
        planned = {
            spec.run_id: {
                "train_fraction": getattr(spec.task, "train_fraction", None),
                "weight_decay": getattr(spec.optimizer, "weight_decay", 0.0),
            }
            for spec in specs
        }
        store = write_study(tmp_path_factory.mktemp("failed"), runs, dict(study.axes), study=name)
        for one in (one for _, one in ALL if one.studies[0] == name):
            with subtests.test(study=name, claim=one.name):
                found = ended_runs(store, name, study.horizon, one.columns)
                assert found
                one.statistic([row | planned[row["run_id"]] for row in found])


def point(width: int) -> dict:
    return {"model.width": width, "task.data_size": 23**2, "task.labels": "random"}


def spec_of(width: int, seed: int) -> RunSpec:
    return find(NAME).run(point(width), seed)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Random labels: the wider the model, the more of them it fits. Two seeds; one run has not ended."""
    at = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 2000]
    runs = [
        run(spec_of(width, seed), {"train.accuracy": step_up(5, high=width / 20)}, point(width), at,
            labels="random", data_size=500, seed=seed, steps=2000)
        for width, seed in itertools.product(WIDTHS, range(2))
    ]  # fmt: skip
    runs.append(run(spec_of(4, 2), {"train.accuracy": step_up(5)}, point(4), seed=2, steps=1000))
    return write_study(tmp_path_factory.mktemp("store"), runs, {"model.width": list(WIDTHS)}, study=NAME)


@pytest.mark.parametrize(("row", "one"), ALL, ids=[f"{row}-{one.name}" for row, one in ALL])
def test_a_claim_names_its_paper_and_its_studies_and_its_statistic_says_when_it_cannot_tell(row, one, store):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", one.name)
    assert re.search(r"\d{4} \(arXiv \d{4}\.\d{4,5}\)", one.source)
    assert one.says.endswith(".")
    assert one.published
    assert one.unit
    assert one.note == "" or one.note.endswith(".")
    assert one.question == "" or one.question.endswith("?")
    assert set(one.studies) <= set(available(CATALOG))
    assert math.isnan(one.statistic([]))
    assert all(set(one.studies) & {NAME}) or ended_runs(store, NAME, 2000, one.columns)


def test_names_are_given_once_and_what_is_disputed_has_two_sides():
    assert len({(row, one.name) for row, one in ALL}) == len(ALL)
    questions = [one.question for _, one in ALL if one.question]
    assert all(questions.count(question) >= 2 for question in questions)


def test_the_verdict_follows_from_the_interval_and_the_bar(subtests):
    for bars, low, high, verdict in [
        ({"above": 0}, 0.1, 0.3, "reproduced"),
        ({"above": 0}, -0.1, 0.3, "undecided"),
        ({"above": 0}, -0.3, 0.0, "not reproduced"),
        ({"above": None, "below": 1}, 0.1, 0.3, "reproduced"),
        ({"above": None, "below": 1}, 1.0, 1.3, "not reproduced"),
        ({"above": 2, "below": 2.5}, 2.1, 2.4, "reproduced"),
        ({"above": 2, "below": 2.5}, 2.4, 2.6, "undecided"),
        ({"above": 2, "below": 2.5}, 2.6, 2.7, "not reproduced"),
        ({"above": 2, "below": 2.5}, 1.0, 1.9, "not reproduced"),
        ({"above": 0}, math.nan, math.nan, "undecided"),
        ({"above": 0}, 0.1, math.inf, "reproduced"),
        ({"above": 0}, math.inf, math.inf, "reproduced"),
        ({"above": 0}, -math.inf, -math.inf, "not reproduced"),
        ({"above": 0}, -math.inf, 0.2, "undecided"),
        ({"above": None, "below": 1}, -math.inf, 0.9, "reproduced"),
        ({"above": None, "below": 1}, -math.inf, math.inf, "undecided"),
        ({"above": 2, "below": 2.5}, math.inf, math.inf, "not reproduced"),
    ]:
        with subtests.test(bars=bars, low=low, high=high, verdict=verdict):
            one = claim(**bars)
            assert Checked("row", one, "study", 5, 5, (low + high) / 2, low, high).verdict == verdict
            assert Checked("row", one, "study", 4, 5, (low + high) / 2, low, high).verdict == "not yet run"


def test_a_number_of_fewer_than_five_seeds_says_so():
    def ours(seeds: int, low: float = 0.5) -> str:
        return Checked("row", claim(), "study", 5, 5, 1.0, low, 2.0, seeds).ours

    assert [ours(seeds) for seeds in (2, 4)] == ["1 [0.5, 2], 2 seeds", "1 [0.5, 2], 4 seeds"]
    assert ours(5) == "1 [0.5, 2]"
    assert ours(1, math.nan) == "1 (no interval: one seed)"
    assert as_row(Checked("row", claim(), "study", 5, 5, seeds=3))["seeds"] == 3


def test_fewer_than_five_seeds_leave_a_claim_undecided():
    verdicts = [Checked("row", claim(), "study", 5, 5, 1.0, 0.5, 2.0, seeds).verdict for seeds in (2, 4, 5, 16)]
    assert verdicts == ["undecided", "undecided", "reproduced", "reproduced"]


def test_one_seed_leaves_a_claim_undecided():
    runs = [{"point": {"x": x}} for x in range(5)]
    value, low, high = interval(lambda runs: 7.0, runs)
    one = Checked("row", claim(), "study", 5, 5, value, low, high, 1)
    assert (one.verdict, one.ours) == ("undecided", "7 (no interval: one seed)")


def test_an_interval_ends_where_the_number_cannot_be(store, monkeypatch):
    for ends, expected in (((-1.3, 1.65), (-1, 1)), ((-0.4, 0.3), (-0.4, 0.3))):
        monkeypatch.setattr(claim_check, "interval", lambda statistic, runs, ends=ends: (0.1, *ends))
        found = {checked.claim.name: checked for checked in check_claims(store, NAME) if checked.study == NAME}
        assert (found["capacity_rises"].low, found["capacity_rises"].high) == expected
        assert found["four_dynamics"].low == max(0, ends[0])
        assert found["norm_falls_in_grokking"].high == ends[1]
    monkeypatch.setattr(claim_check, "interval", lambda statistic, runs: (0.1, math.nan, math.nan))
    assert all(math.isnan(checked.low) for checked in check_claims(store, NAME) if checked.study == NAME)


def test_a_chart_of_claims_draws_what_is_infinite_at_its_edge():
    one = Checked("row", claim(), "study", 5, 5, 1.0, 0.5, math.inf, 3)
    spec = charts_claims._strip(one).to_dict()
    json.dumps(spec, allow_nan=False)
    [drawn] = next(iter(spec["datasets"].values()))
    assert drawn["high"] == spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1]


def test_a_run_counts_when_it_went_to_the_studys_horizon(store):
    runs = ended_runs(store, NAME, 2000)
    assert {run["run_id"] for run in runs} == {spec_of(width, seed).run_id for width in WIDTHS for seed in (0, 1)}
    assert all(run["point"] == point(run["width"]) for run in runs)


def test_runs_that_failed_or_stopped_by_themselves_have_ended_and_pruned_or_shorter_ones_have_not(tmp_path):
    ends = {
        "failed": ("failed", None, 10),
        "diverged": ("finished", "diverged", 500),
        "generalized": ("finished", "generalized", 500),  # for a study that stops there, which this one does not
        "pruned": ("finished", "pruned", 500),
        "shorter": ("finished", "horizon", 1000),
        "running": ("running", None, 500),
    }
    runs = [
        run(name, {"train.accuracy": step_up(5)}, point(4), status=status, stop_reason=reason, steps=steps)
        for name, (status, reason, steps) in ends.items()
    ]
    store = write_study(tmp_path, runs, {"model.width": [4]}, study=NAME)
    assert {run["run_id"] for run in ended_runs(store, NAME, 2000)} == {run_id_of("diverged"), run_id_of("failed")}


def test_further_seeds_count_and_runs_of_an_older_version_of_the_study_do_not(tmp_path):
    curves, facts = {"train.accuracy": step_up(5)}, {"labels": "random", "steps": 2000}
    runs = [run(spec_of(4, seed), curves, point(4), seed=seed, **facts) for seed in range(7)]
    runs.append(run("older", curves, point(4), seed=0, **facts))
    runs.append(run(spec_of(7, 0), curves, point(7), seed=0, **facts))
    store = write_study(tmp_path, runs, {"model.width": [4]}, study=NAME)
    checked = claim_check.check(store, "row", claim(), NAME)
    assert (checked.value, checked.ended, checked.planned) == (7, 5, 360)


def test_a_claim_may_ask_for_further_columns(store):
    more = ended_runs(store, NAME, 2000, "select run_id, max(step) as last from metrics group by run_id")
    assert {run["last"] for run in more} == {2000}


def test_claims_are_found_by_file_and_by_study_and_only_those_of_the_store(store, tmp_path):
    assert {checked.study for checked in check_claims(store)} == {NAME}
    assert {checked.study for checked in check_claims(store, NAME)} == {NAME, f"{NAME}_paper"}
    assert {checked.study for checked in check_claims(store, f"{NAME}_paper")} == {f"{NAME}_paper"}
    everything = check_claims(store, everything=True)
    assert len(everything) == sum(len(one.studies) for _, one in ALL)
    assert check_claims(None) == []
    with pytest.raises(SpecError, match=r"no claim is about 'circuits_competitoin'. Did you mean"):
        check_claims(store, "circuits_competitoin")
    trained(small(), mine := Store.open(tmp_path / "mine", write=True))
    assert check_claims(mine, "small") == []
    done = CliRunner().invoke(cli, ["claims", "small", "--store", str(mine.path), "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])
    assert "no claim is about study 'small': they are about studies of papers" in done.stderr


def test_the_command_prints_what_the_runs_say(store):
    done = CliRunner().invoke(cli, ["claims", NAME, "--store", str(store.path), "--json"])
    rows = {row["name"]: row for row in json.loads(done.output) if row["study"] == NAME}
    assert rows["capacity_rises"]["value"] == 1
    assert rows["capacity_rises"]["verdict"] == "not yet run"
    assert (rows["capacity_rises"]["ended"], rows["capacity_rises"]["planned"]) == (6, 360)
    assert rows["norm_falls_in_grokking"]["value"] is None
    table = CliRunner().invoke(cli, ["claims", "--store", str(store.path)]).output
    assert " reproduced" not in table
    assert "6/360" in table


def test_without_a_store_all_claims_are_not_yet_run(tmp_path):
    done = CliRunner().invoke(cli, ["claims", "--all", "--store", str(tmp_path / "none"), "--json"])
    assert {row["verdict"] for row in json.loads(done.output)} == {"not yet run"}


def test_a_report_opens_with_its_claims(store, tmp_path, monkeypatch):
    page = analysis.report(store, NAME, tmp_path / "r.html").read_text()
    assert page.index("Memorization capacity rises") < page.index('<div id="claims">') < page.index("<h2>Phases</h2>")
    monkeypatch.setattr(claim_check, "all_claims", lambda: iter(()))
    assert "<h2>Claims</h2>" not in analysis.report(store, NAME, tmp_path / "none.html").read_text()


def test_groups_ranks_and_crossings():
    runs = [{"x": 1, "y": 2.0}, {"x": 1, "y": 4.0}, {"x": 2, "y": None}, {"x": None, "y": 9.0}]
    assert means(runs, lambda run: run["x"], lambda run: run["y"]) == {1: 3.0}
    assert rank_correlation({1: 1.0, 2: 3.0, 3: 2.0}) == pytest.approx(0.5)
    assert rank_correlation({1: 1.0, 2: 1.0, 3: 2.0}) == pytest.approx(math.sqrt(3) / 2)
    assert math.isnan(rank_correlation({1: 1.0, 2: 1.0, 3: 1.0}))
    assert crossing({10: 0.0, 20: 0.25, 30: 0.75}) == 25
    assert crossing({10: 0.6}) == -math.inf
    assert crossing({10: 0.1}) == math.inf


def test_a_power_is_the_slope_of_medians_on_log_axes_and_unknown_where_most_never_come():
    runs = [{"x": x, "y": 5 * x**1.5 * noise} for x in (2, 4, 8) for noise in (0.9, 1.0, 7.0)]
    of_x, of_y = (lambda run: run["x"]), (lambda run: run["y"])
    assert power(runs, of_x, of_y) == pytest.approx(1.5)
    runs[8]["y"] = math.inf
    assert power(runs, of_x, of_y) == pytest.approx(1.5)
    runs[7]["y"] = math.inf
    assert math.isnan(power(runs, of_x, of_y))
    assert math.isnan(power(runs[:6], of_x, of_y))
