"""Every study of the catalog is a question, a prediction and runs that can be trained."""

import importlib

import pytest

from study.plan.plan import planned_runs
from study.spec import CATALOG, find
from trainables.components import available
from trainables.spec import paths

STUDIES = available(CATALOG)
MOST_RUNS = 5_000
"""A study beyond this is for a cluster and many days; a `_paper` twin may be that large, no more."""
MOST_RUNS_SMALL = 500
"""Minutes to an hour on two cores."""

pytestmark = pytest.mark.parametrize("name", STUDIES)


def test_it_asks_a_question_and_states_prediction_and_finding(name):
    study, text = find(name), importlib.import_module(f"{CATALOG}.{name}").__doc__ or ""
    lines = text.splitlines()
    assert study.question.endswith("?")
    assert lines[0].endswith("?")
    assert any(line.startswith("Prediction") for line in lines)
    assert any(line.startswith("Finding") for line in lines)


def test_its_axes_exist_and_its_points_are_distinct_runs(name):
    study = find(name)
    assert set(study.axes) <= set(paths(study.base))
    runs = planned_runs(study)
    assert len({run.run_id for run in runs}) == len(runs) == len(study.points()) * study.seeds


def test_its_size_is_one_that_somebody_would_wait_for(name):
    runs = planned_runs(find(name))
    assert len(runs) <= (MOST_RUNS if name.endswith("_paper") else MOST_RUNS_SMALL)


def test_a_twin_at_paper_size_has_a_small_one(name):
    assert name.removesuffix("_paper") in STUDIES
