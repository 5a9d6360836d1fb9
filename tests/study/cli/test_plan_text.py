"""What `study plan` says of evaluations."""

import json

import pytest

from study.cli.study_text import evaluation_limits, show_plan
from study.spec import StudySpec
from tests.support.studies import MACHINE, make_plan, small
from trainables.tasks import modular


def of(sizes: tuple[int | None, ...], p: int = 61, **changes: object) -> StudySpec:
    """Runs with these batch sizes on half of the p x p pairs."""
    base = small().base.with_values({"task.p": p, "task.train_fraction": 0.5, "batch_size": 16})
    return small(base=base, axes={"batch_size": sizes}, seeds=1, **changes)


@pytest.mark.parametrize(
    ("study", "limits"),
    [
        (of((16,)), [500]),
        (of((None, 64, 128, 256)), [500, 948]),
        (of((None,)), []),
        (of((16,), p=31), []),  # 480 and 481 of 961 examples: all are evaluated
        (of((16,), evaluation_share=None), []),
        (of((16,), evaluation_examples=100), [100]),
    ],
    ids=["batches", "several batch sizes", "full batches", "small splits", "no limit", "the study's own"],
)
def test_the_plan_says_which_splits_are_cut_when_they_are_evaluated(study, limits, capsys):
    plan = make_plan(study, None)
    assert isinstance(study.base.task, modular.Task)
    assert evaluation_limits(plan) == limits
    show_plan(plan, MACHINE, as_json=True)
    assert json.loads(capsys.readouterr().out)["evaluation_examples"] == limits
    show_plan(plan, MACHINE, as_json=False)
    said = " ".join(capsys.readouterr().out.split())
    told = bool(limits) and study.evaluation_examples is None
    numbers = " or ".join(map(str, limits))
    assert (f"the first {numbers} examples are evaluated" in said) == told
    assert ("evaluation_share" in said) == told
