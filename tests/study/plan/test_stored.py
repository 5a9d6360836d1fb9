"""Searches, and studies whose file is elsewhere: the store alone has them, and show, plan and run find them there."""

import json
import re

import pytest

from study.cli.main import cli
from study.plan.stored import find_study
from study.search.history import Past
from study.search.next_points import Handout
from study.store.database import Store
from study.train import service
from tests.study.search.test_search import search, worked
from tests.support.studies import MACHINE, small, study_file, trained
from trainables.errors import SpecError


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


@pytest.fixture
def task(tmp_path) -> str:
    return str(study_file(tmp_path, horizon=40))


def test_the_store_knows_a_search_and_the_runs_that_it_asked_for(task, store):
    asked = search(task, runs=8)
    worked(asked, store, most=2)
    Handout(asked, store, MACHINE, 2).next()  # planned, and nobody trains it
    store.ingest()
    found = find_study("looked", store.path)
    assert (found.to_json(), found.name) == (asked.study.to_json(), "looked")
    plan = service.plan(found, store, service.Options(device="cpu"))
    assert (len(plan.runs), len(plan.finished), plan.missing) == (6, 4, 2)
    assert [run.run_id for run in plan.runs] == list(Past(asked, store).runs)
    assert len(service.plan(found, store, service.Options(device="cpu", runs=3)).runs) == 3


def test_show_and_plan_say_what_a_search_wants_and_run_says_how_it_goes_on(task, store, capsys):
    worked(search(task, runs=8), store, most=3)

    def said(*words: str) -> str:
        cli.main([*words, "--store", str(store.path)], standalone_mode=False)
        return capsys.readouterr().out

    shown = said("show", "looked")
    assert re.search(r"task.train_fraction +0.3:0.8\n +optimizer.weight_decay +0.1:10:log", shown)
    assert re.search(r"sampler +sobol, for comprehension or grokking\n +budget +8 runs", shown)
    assert "\n6 runs in " in shown
    assert json.loads(said("show", "looked", "--json"))["num_runs"] == 6
    assert said("plan", "looked") == "looked: 6 planned, 6 finished, 0 missing, 2 not asked for yet\n"
    assert json.loads(said("plan", "looked", "--json"))["not asked for yet"] == 2
    for words, says in (
        (["run", "looked"], "is a search: `study search` with its own options and --name looked goes on"),
        (["plan", "looked", "--seeds", "3"], "--seeds 3: 'looked' is a search"),
    ):
        with pytest.raises(SpecError, match=re.escape(says)):
            said(*words)


def test_a_study_whose_file_is_elsewhere_is_planned_from_the_store(store):
    trained(small("moved"), store)
    more = find_study("moved", store.path).with_(seeds=3)
    assert service.plan(more, store, service.Options(device="cpu")).missing == 4
