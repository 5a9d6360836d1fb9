"""Every phase definition on the cases that tell definitions apart, and on published runs."""

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

import analysis
from analysis.classify import definitions
from tests.synthetic import run, step_up, write_study
from trainables.errors import SpecError

LIU = Path(__file__).parents[2] / "shared/reference/data/liu2022_grids.csv"
LEVELS = ("50", "90", "95", "99")


def outcome(train: int | None, test: int | None, final: tuple[float, float] | None = None, **columns) -> dict:
    """A run whose accuracies jump at the steps `train` and `test` (None = never) and end at `final`."""
    final = final or (float(train is not None), float(test is not None))
    row = {f"{split}_step_{level}": step for split, step in (("train", train), ("test", test)) for level in LEVELS}
    row |= {"run_id": "r", "status": "finished", "stop_reason": "horizon", "horizon": 10_000, "label_corruption": 0.0}
    row |= {"chance_accuracy": 0.01, "final_train_accuracy": final[0], "final_test_accuracy": final[1]}
    row |= {"final_ood_accuracy": None} | {f"ood_step_{level}": None for level in LEVELS}
    row |= {"max_test_accuracy": max(final[1], float(test is not None)), "train_accuracy_at_test_onset": None}
    return row | columns


def phase(definition: str, *rows: dict, **params: float) -> str | list[str]:
    phases = analysis.classify(definition, pa.Table.from_pylist(list(rows)), params=params)["phase"].to_pylist()
    return phases if len(rows) > 1 else phases[0]


NOTHING = outcome(None, None, horizon=None, final_train_accuracy=None, final_test_accuracy=None, max_test_accuracy=None)
UNRESOLVED = {
    "planned": NOTHING | {"status": "planned", "stop_reason": None},
    "still running": outcome(10, 50, status="running", stop_reason=None),
    "failed": outcome(10, None, status="failed", stop_reason=None),
    "stopped early": outcome(10, None, stop_reason="pruned"),
    "finished without records": NOTHING,
    "answers that are numbers": NOTHING | {"horizon": 10_000, "chance_accuracy": None},
}
CASES = {  # name: (outcome, phase under liu2022, doshi2023, huang2024, unified)
    "never fits": (outcome(None, None), "confusion", "confusion", "confusion", "confusion"),
    "fits only": (outcome(10, None), "memorization", "memorization", "memorization", "memorization"),
    "generalizes late": (outcome(10, 5000), "grokking", "coexistence", "grokking", "grokking"),
    "generalizes at once": (
        outcome(10, 30, train_accuracy_at_test_onset=0.6),
        "comprehension", "coexistence", "progression", "comprehension",
    ),
    "progresses": (
        outcome(None, None, (0.6, 0.4), train_accuracy_at_test_onset=0.5),
        "confusion", "confusion", "progression", "progression",
    ),
    "half generalizes": (
        outcome(10, None, (1.0, 0.5), train_accuracy_at_test_onset=1.0),
        "memorization", "memorization", "semi_grokking", "semi_grokking",
    ),
    "forgets": (outcome(10, 70, (0.2, 0.02)), "comprehension", "forgetting", "confusion", "forgetting"),
    "forgets the test split alone": (
        outcome(10, 70, (1.0, 0.02)), "comprehension", "memorization", "memorization", "forgetting",
    ),
    "fits and diverges": (
        outcome(10, None, (0.0, 0.0), stop_reason="diverged"), "memorization", "confusion", "confusion", "confusion",
    ),
    "generalizes, stable, and leaves": (
        outcome(10, 5000, stop_reason="generalized"), "grokking", "coexistence", "grokking", "grokking",
    ),
    "corrects all corrupted labels": (
        outcome(None, 50, (0.7, 1.0), label_corruption=0.3),
        "confusion", "full_inversion", "progression", "progression",
    ),
    "corrects some corrupted labels": (
        outcome(None, 50, (0.8, 1.0), label_corruption=0.3),
        "confusion", "partial_inversion", "progression", "progression",
    ),
    "memorizes, then corrects": (
        outcome(10, 5000, (0.7, 1.0), label_corruption=0.3), "grokking", "full_inversion", "grokking", "grokking",
    ),
}  # fmt: skip


@pytest.mark.parametrize("definition", definitions())
@pytest.mark.parametrize("case", UNRESOLVED)
def test_a_run_that_the_records_do_not_tell_is_unresolved(definition, case):
    assert phase(definition, UNRESOLVED[case]) == "unresolved"


@pytest.mark.parametrize("column", [1, 2, 3, 4], ids=["liu2022", "doshi2023", "huang2024", "unified"])
@pytest.mark.parametrize("case", CASES)
def test_a_run_has_the_phase_that_its_outcome_means(column, case):
    definition = ("liu2022", "doshi2023", "huang2024", "unified")[column - 1]
    assert phase(definition, CASES[case][0]) == CASES[case][column]


@pytest.mark.parametrize("definition", definitions())
def test_there_is_one_row_per_run_in_the_order_of_the_outcomes(definition):
    rows = [case[0] | {"run_id": f"r{i}"} for i, case in enumerate(CASES.values())]
    result = analysis.classify(definition, pa.Table.from_pylist(rows))
    assert result["run_id"].to_pylist() == [row["run_id"] for row in rows]


@pytest.mark.parametrize("definition", definitions())
def test_the_view_in_the_store_and_classify_agree(definition, tmp_path):
    runs = [
        run("late", {"train.accuracy": step_up(5), "test.accuracy": step_up(500, 0.05)}),
        run("half", {"train.accuracy": step_up(5), "test.accuracy": step_up(500, 0.05, 0.5)}),
        run("bad", {"train.accuracy": step_up(None), "test.accuracy": step_up(None)}),
        run("waiting", {}, status="planned"),
    ]
    store = write_study(tmp_path, runs)
    outcomes = store.sql("select * from outcomes order by run_id").to_arrow_table()
    stored = store.sql(
        "select run_id, phase from phases where definition = $name order by run_id", {"name": definition}
    )
    assert analysis.classify(definition, outcomes).to_pylist() == stored.to_arrow_table().to_pylist()


@pytest.mark.parametrize(
    ("train", "test", "final", "expected"),
    [  # quadratic network modulo 23, 1000 steps: weight decay and training fraction
        (10, None, (1.0, 0.01), "memorization"),  # 0, 0.3
        (20, 50, (1.0, 1.0), "comprehension"),  # 0, 0.8
        (20, 60, (1.0, 1.0), "comprehension"),  # 0, 0.8, the other seed
        (10, 430, (1.0, 1.0), "grokking"),  # 1, 0.5
        (10, None, (1.0, 0.49), "semi_grokking"),  # 5, 0.3
        (50, 270, (0.3, 0.03), "forgetting"),  # 15, 0.6
        (40, 80, (0.5, 0.06), "forgetting"),  # 15, 0.9
        (None, None, (0.43, 0.16), "progression"),  # width 4
        (None, None, (0.25, 0.02), "confusion"),  # width 4, squared error
    ],
)
def test_unified_names_the_phases_of_small_modular_addition(train, test, final, expected):
    assert phase("unified", outcome(train, test, final, chance_accuracy=1 / 23, horizon=1000)) == expected


def test_liu2022_takes_a_passage_at_max_steps_and_none_after_it():
    rows = [outcome(10, 100_000), outcome(10, 100_001), outcome(100_001, None)]
    assert phase("liu2022", *rows) == ["grokking", "memorization", "confusion"]


def test_liu2022_calls_a_delay_of_exactly_max_delay_steps_grokking():
    assert phase("liu2022", outcome(10, 1010), outcome(10, 1009)) == ["grokking", "comprehension"]
    assert phase("liu2022", outcome(10, 520), max_delay_steps=500) == "grokking"


def test_a_threshold_picks_the_passages_of_its_level():
    row = outcome(10, 20) | {"test_step_95": None, "test_step_99": None}
    assert phase("liu2022", row) == "comprehension"
    assert phase("liu2022", row, threshold=0.95, max_delay_steps=500) == "memorization"


def test_a_table_may_lack_what_its_runs_have_in_common():
    table = pa.table({"run_id": ["a", "b"], "train_step_90": [5.0, float("nan")], "test_step_90": [9000, None]})
    assert analysis.classify("liu2022", table)["phase"].to_pylist() == ["grokking", "confusion"]


def test_mistakes_are_told_with_the_mend():
    table = pa.table({"run_id": ["a"], "train_step_90": [5], "test_step_90": [7]})
    with pytest.raises(SpecError, match=r"No phase definition named 'liu2023'. Did you mean 'liu2022'"):
        analysis.classify("liu2023", table)
    with pytest.raises(SpecError, match=r"no parameter 'treshold'. Did you mean 'threshold'"):
        analysis.classify("liu2022", table, params={"treshold": 0.9})
    with pytest.raises(SpecError, match=r"threshold is 0.8, .* stored at 0.5, 0.9, 0.95, 0.99"):
        analysis.classify("liu2022", table, params={"threshold": 0.8})
    with pytest.raises(SpecError, match=r"reads the column 'test_step_95', which outcomes lacks"):
        analysis.classify("liu2022", table, params={"threshold": 0.95})
    with pytest.raises(SpecError, match=r"reads the column 'final_test_accuracy', which outcomes lacks"):
        analysis.classify("doshi2023", table)


@pytest.mark.parametrize(
    ("train", "test", "ood", "final", "expected"),
    [
        (None, None, None, (0.4, 0.1, 0.0), "unlearned"),
        (12_000, None, None, (1.0, 0.5, 0.0), "memorization"),  # figure 1 at 50,000 steps
        (12_000, 150_000, None, (1.0, 0.988, 0.0), "generalized_in_distribution"),  # figure 1 at 350,000
        (12_000, 40_000, 300_000, (1.0, 1.0, 0.99), "systematic"),  # comparison
        (12_000, 40_000, 300_000, (1.0, 1.0, 0.3), "generalized_in_distribution"),  # and lost it
        (12_000, 40_000, None, (1.0, 0.5, 0.0), "memorization"),
        (12_000, 40_000, None, (0.2, 0.5, 0.0), "unlearned"),  # diverged
    ],
)
def test_wang2024_tells_how_far_generalization_has_come(train, test, ood, final, expected):
    row = outcome(train, test, final[:2], final_ood_accuracy=final[2], horizon=350_000)
    row |= {f"ood_step_{level}": ood for level in LEVELS}
    assert phase("wang2024", row) == expected


@pytest.mark.parametrize(
    ("seen", "unseen", "expected"),
    [
        (0.40, 0.33, "unlearned"),
        (1.00, 0.35, "seen_tasks_only"),
        (1.00, None, "seen_tasks_only"),  # asked of no unseen task
        (0.86, 0.86, "learning_to_learn"),
    ],
)
def test_kirsch2022_tells_whether_unseen_tasks_are_answered(seen, unseen, expected):
    assert (
        phase("kirsch2022", outcome(None, None, (0.2, seen), chance_accuracy=1 / 3, final_ood_accuracy=unseen))
        == expected
    )


@pytest.mark.skipif(not LIU.exists(), reason="the published grids are not here")
def test_liu2022_reproduces_every_published_run():
    rows = list(csv.DictReader(LIU.open()))
    steps = {split: [int(float(row[f"{split}_step"])) if row[f"{split}_step"] else None for row in rows]
             for split in ("train", "test")}  # fmt: skip
    table = pa.table(
        {"run_id": [str(i) for i in range(len(rows))], "train_step_90": steps["train"], "test_step_90": steps["test"]}
    )
    phases = analysis.classify("liu2022", table)["phase"].to_pylist()
    assert phases == [row["phase"] for row in rows]
    counts = Counter((row["figure_grid"], phase) for row, phase in zip(rows, phases, strict=True))
    kinds = ("comprehension", "grokking", "memorization", "confusion")
    assert {grid: [counts[grid, kind] for kind in kinds] for grid, _ in counts} == {
        "addition_regression_coarse": [17, 16, 49, 39],
        "addition_classification": [30, 85, 50, 11],
        "addition_regression": [17, 60, 60, 39],
        "addition_regression_repr_lr": [29, 31, 109, 0],
    }
