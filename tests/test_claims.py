"""Claims: what each file must say, the interval, the verdict, and the command that prints them."""

import itertools
import json
import math
import re

import numpy as np
import pytest
from click.testing import CliRunner

import analysis
from analysis import claim as claiming
from analysis.claim import Checked, Claim, all_claims, check_claims, ended_runs, interval
from analysis.statistics import crossing, means, rank_correlation
from study.cli import cli
from study.spec import CATALOG, find
from study.store import Store
from tests.synthetic import run, step_up, write_study
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


def point(width: int) -> dict:
    return {"model.width": width, "task.data_size": 23**2, "task.labels": "random"}


def spec_of(width: int, seed: int) -> RunSpec:
    return find(NAME).run(point(width), seed)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Random labels: the wider the model, the more of them it fits. Two seeds; one run has not ended."""
    at = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 2000]
    runs = [
        run(spec_of(width, seed).run_id, {"train.accuracy": step_up(5, high=width / 20)}, point(width), at,
            labels="random", data_size=500, seed=seed, steps=2000)
        for width, seed in itertools.product(WIDTHS, range(2))
    ]  # fmt: skip
    runs.append(run(spec_of(4, 2).run_id, {"train.accuracy": step_up(5)}, point(4), seed=2, steps=1000))
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


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    draw = np.random.default_rng(1)
    runs = [{"point": {"a": a}, "y": 10 * a + y} for a in (1, 2) for y in draw.normal(size=200)]
    value, low, high = interval(lambda runs: sum(run["y"] for run in runs) / len(runs), runs)
    spread = np.std([run["y"] - 10 * run["point"]["a"] for run in runs])
    assert value == pytest.approx(np.mean([run["y"] for run in runs]))
    assert (high - low) / 2 == pytest.approx(1.96 * spread / math.sqrt(400), rel=0.1)


def test_what_seeds_cannot_tell_has_no_interval():
    runs = [{"point": {}, "y": y} for y in (1.0, math.nan)]
    value, low, high = interval(lambda runs: runs[0]["y"], runs)
    assert value == 1
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize(
    ("bars", "low", "high", "verdict"),
    [
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
    ],
)
def test_the_verdict_follows_from_the_interval_and_the_bar(bars, low, high, verdict):
    one = claim(**bars)
    assert Checked("row", one, "study", 5, 5, (low + high) / 2, low, high).verdict == verdict
    assert Checked("row", one, "study", 4, 5, (low + high) / 2, low, high).verdict == "not yet run"


def test_a_run_counts_when_it_went_to_the_studys_horizon(store):
    runs = ended_runs(store, NAME, 2000)
    assert {run["run_id"] for run in runs} == {spec_of(width, seed).run_id for width in WIDTHS for seed in (0, 1)}
    assert all(run["point"] == point(run["width"]) for run in runs)


def test_further_seeds_count_and_runs_of_an_older_version_of_the_study_do_not(tmp_path):
    curves, facts = {"train.accuracy": step_up(5)}, {"labels": "random", "steps": 2000}
    runs = [run(spec_of(4, seed).run_id, curves, point(4), seed=seed, **facts) for seed in range(5)]
    runs.append(run("0123456789abcdef", curves, point(4), seed=0, **facts))
    runs.append(run(spec_of(7, 0).run_id, curves, point(7), seed=0, **facts))
    store = write_study(tmp_path, runs, {"model.width": [4]}, study=NAME)
    checked = claiming.check(store, "row", claim(), NAME)
    assert (checked.value, checked.ended, checked.planned) == (5, 3, 216)


def test_a_claim_may_ask_for_further_columns(store):
    more = ended_runs(store, NAME, 2000, "select run_id, max(step) as last from metrics group by run_id")
    assert {run["last"] for run in more} == {2000}


def test_claims_are_found_by_file_and_by_study_and_only_those_of_the_store(store):
    assert {checked.study for checked in check_claims(store)} == {NAME}
    assert {checked.study for checked in check_claims(store, NAME)} == {NAME, f"{NAME}_paper"}
    assert {checked.study for checked in check_claims(store, f"{NAME}_paper")} == {f"{NAME}_paper"}
    everything = check_claims(store, everything=True)
    assert len(everything) == sum(len(one.studies) for _, one in ALL)
    assert check_claims(None) == []
    with pytest.raises(SpecError, match=r"no claim is about 'circuits_competitoin'. Did you mean"):
        check_claims(store, "circuits_competitoin")


def test_the_command_prints_what_the_runs_say(store):
    done = CliRunner().invoke(cli, ["claims", NAME, "--store", str(store.path), "--json"])
    rows = {row["name"]: row for row in json.loads(done.output) if row["study"] == NAME}
    assert rows["capacity_rises"]["value"] == 1
    assert rows["capacity_rises"]["verdict"] == "not yet run"
    assert (rows["capacity_rises"]["ended"], rows["capacity_rises"]["planned"]) == (6, 216)
    assert rows["norm_falls_in_grokking"]["value"] is None
    table = CliRunner().invoke(cli, ["claims", "--store", str(store.path)]).output
    assert " reproduced" not in table
    assert "6/216" in table


def test_without_a_store_all_claims_are_not_yet_run(tmp_path):
    done = CliRunner().invoke(cli, ["claims", "--all", "--store", str(tmp_path / "none"), "--json"])
    assert {row["verdict"] for row in json.loads(done.output)} == {"not yet run"}


def test_a_report_opens_with_its_claims(store, tmp_path, monkeypatch):
    page = analysis.report(store, NAME, tmp_path / "r.html").read_text()
    assert page.index("Memorization capacity rises") < page.index('<div id="claims">') < page.index("<h2>Phases</h2>")
    monkeypatch.setattr(claiming, "all_claims", lambda: iter(()))
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
