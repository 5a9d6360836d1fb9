"""What a command says at the end of training."""

import pytest

from study.cli.ending import ending, sentence
from study.cli.status_text import status_for_people
from study.spec import StudySpec
from study.store.database import Store
from study.store.status import status_rows
from tests.support.studies import make_plan, small, trained
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import linear_regression

NUMBERS = StudySpec(
    question="How many tasks?",
    base=RunSpec(
        task=linear_regression.Task(dimensions=2, points=4, test_size=16),
        model=transformer.Model(layers=1, width=8, heads=2),
        optimizer=adamw.Optimizer(),
        loss="mse",
        batch_size=8,
    ),
    axes={"task.num_tasks": (4, 8)},
    seeds=1,
    horizon=10,
    name="numbers",
)


@pytest.mark.parametrize(
    ("study", "says"),
    [
        (NUMBERS, "all 2 runs are in; no phases, because the task's answers are numbers: `curves` has the losses"),
        (small(seeds=1), "all 4 runs are in; unified: "),
    ],
)
def test_phases_or_why_there_are_none(tmp_path, study, says):
    store = Store.open(tmp_path, write=True)
    trained(study, store)
    end = ending(store, study, make_plan(study, store))
    assert end["has_accuracy"] is (study is not NUMBERS)
    assert sentence(end).startswith(f"{study.name}: {says}")
    [row] = status_rows(store, None)
    assert (status_for_people(row)["phases"] == "none: answers are numbers") is (study is NUMBERS)


def test_status_counts_by_the_definition_of_the_study(tmp_path):
    store = Store.open(tmp_path, write=True)
    study = small(seeds=1, definition="doshi2023")
    trained(study, store)
    [row] = status_rows(store, "small")
    found = store.sql("select phase from phases where definition = 'doshi2023'").fetchall()
    assert row["definition"] == "doshi2023"
    assert {phase.partition(" ")[2] for phase in row["phases"].split(", ")} == {phase for (phase,) in found}
