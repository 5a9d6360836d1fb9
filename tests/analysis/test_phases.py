"""Every phase definition on the cases that tell definitions apart, and on published runs."""

import csv
import math
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

import analysis
from study.store.definitions import Definition, definitions
from tests.support.phases import LEARNED, SIMPLE
from tests.support.synthetic import run, step_up, write_study
from trainables.errors import SpecError

LIU = Path(__file__).parents[3] / "shared/reference/data/liu2022_grids.csv"
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


def phase(definition: str | Definition, *rows: dict, **params: float) -> str | list[str]:
    phases = analysis.classify(definition, pa.Table.from_pylist(list(rows)), params=params)["phase"].to_pylist()
    return phases if len(rows) > 1 else phases[0]


NOTHING = outcome(None, None, horizon=None, final_train_accuracy=None, final_test_accuracy=None, max_test_accuracy=None)
UNTESTED = outcome(10, None, num_tested=0, final_test_accuracy=None, max_test_accuracy=None)
UNRESOLVED = {
    "planned": NOTHING | {"status": "planned", "stop_reason": None},
    "still running": outcome(10, 50, status="running", stop_reason=None),
    "failed": outcome(10, None, status="failed", stop_reason=None),
    "stopped early": outcome(10, None, stop_reason="pruned"),
    "finished without records": NOTHING,
    "fits, and has no test split": UNTESTED,
    "does not fit, and has no test split": UNTESTED
    | {"final_train_accuracy": 0.1, "train_step_90": None, "train_step_95": None},
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


@pytest.mark.parametrize("definition", definitions())
def test_a_split_that_nobody_has_asked_is_no_outcome(definition, tmp_path):
    """All examples to train on leave none to test; so a training fraction of 1 was memorization."""
    runs = [
        run("fits", {"train.accuracy": step_up(5), "train.loss": step_up(5)}),
        run("fits not", {"train.accuracy": step_up(None)} | {"train.loss": step_up(5)}),
    ]
    store = write_study(tmp_path, runs)
    assert store.sql("select distinct num_tested from outcomes").fetchall() == [(0,)]
    stored = store.sql("select distinct phase from phases where definition = $name", {"name": definition}).fetchall()
    assert stored == [("unresolved",)]


def test_wang2024_knows_a_task_without_a_test_split_by_its_ood_split():
    asked = UNTESTED | {"final_ood_accuracy": 1.0}
    late = {f"ood_step_{level}": 900 for level in LEVELS}
    assert phase("wang2024", asked | late, asked, asked | {"train_step_90": None}) == [
        "systematic", "unresolved", "unlearned",
    ]  # fmt: skip


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


LIMITS = [  # definition, column, its limit, the other columns, the phase at the limit, the phase just below it
    ("doshi2023", "final_test_accuracy", 0.9, outcome(10, 50), "coexistence", "memorization"),
    ("doshi2023", "final_train_accuracy", 0.9, outcome(10, 50, label_corruption=0.3),
     "coexistence", "partial_inversion"),
    ("doshi2023", "final_train_accuracy", 1 + 0.05 - 0.3, outcome(None, 50, label_corruption=0.3),
     "partial_inversion", "full_inversion"),
    ("doshi2023", "final_test_accuracy", 0.9, outcome(None, 50, (0.8, 0.9), label_corruption=0.3),
     "partial_inversion", "forgetting"),
    ("doshi2023", "final_test_accuracy", 0.9, outcome(None, 50, (0.5, 0.9), label_corruption=0.3),
     "full_inversion", "forgetting"),
    ("doshi2023", "final_train_accuracy", 0.9, outcome(None, None), "memorization", "confusion"),
    ("doshi2023", "max_test_accuracy", 0.9, outcome(None, 50, (0.0, 0.0)), "forgetting", "confusion"),
    ("huang2024", "final_test_accuracy", 0.01 + 0.1, outcome(10, None, train_accuracy_at_test_onset=1.0),
     "semi_grokking", "memorization"),
    ("huang2024", "train_accuracy_at_test_onset", 0.95, outcome(10, 500), "grokking", "progression"),
    ("huang2024", "final_test_accuracy", 0.95 - 0.1, outcome(10, 500, train_accuracy_at_test_onset=1.0),
     "grokking", "semi_grokking"),
    ("huang2024", "final_train_accuracy", 0.95 - 0.1, outcome(10, None), "memorization", "confusion"),
    ("unified", "final_test_accuracy", 0.9 - 0.1, outcome(10, 500), "grokking", "forgetting"),
    ("unified", "test_step_90", 41, outcome(10, 500), "grokking", "comprehension"),
    ("unified", "final_train_accuracy", 0.9 - 0.1, outcome(10, None), "memorization", "confusion"),
    ("unified", "final_test_accuracy", 0.01 + 0.1, outcome(10, None), "semi_grokking", "memorization"),
    ("unified", "final_test_accuracy", 0.01 + 0.1, outcome(None, None), "progression", "confusion"),
    ("unified", "final_test_accuracy", 0.01 + 0.1, outcome(10, None, (0.1, 0.0)), "progression", "confusion"),
    ("wang2024", "final_train_accuracy", 0.9 - 0.1, outcome(10, None), "memorization", "unlearned"),
    ("wang2024", "final_test_accuracy", 0.9 - 0.1, outcome(10, 500), "generalized_in_distribution", "memorization"),
    ("wang2024", "final_ood_accuracy", 0.9 - 0.1, outcome(10, 500, ood_step_90=900),
     "systematic", "generalized_in_distribution"),
    ("kirsch2022", "final_test_accuracy", 1 / 3 + 0.1,
     outcome(None, None, chance_accuracy=1 / 3, final_ood_accuracy=1 / 3), "seen_tasks_only", "unlearned"),
    ("kirsch2022", "final_ood_accuracy", 1 / 3 + 0.1, outcome(None, 10, chance_accuracy=1 / 3),
     "learning_to_learn", "seen_tasks_only"),
    ("liu2022", "train_step_90", 100_001, outcome(10, None), "confusion", "memorization"),
    ("liu2022", "test_step_90", 100_001, outcome(10, 50), "memorization", "grokking"),
    ("liu2022", "test_step_90", 1010, outcome(10, 50), "grokking", "comprehension"),
]  # fmt: skip


def test_a_phase_begins_exactly_at_its_limit(subtests):
    assert {definition for definition, *_ in LIMITS} == set(definitions())
    for definition, column, limit, row, at, below in LIMITS:
        just_below = limit - 1 if isinstance(limit, int) else math.nextafter(limit, 0)
        with subtests.test(definition=definition, column=column, at=at):
            assert phase(definition, row | {column: limit}, row | {column: just_below}) == [at, below]


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
    for value in ("x", "0.9", None, True, math.nan, math.inf, [0.9]):
        with pytest.raises(SpecError, match=r"definition 'liu2022': threshold must be a finite number, got") as caught:
            analysis.classify("liu2022", table, params={"threshold": value})
        assert "\n" not in str(caught.value)
    with pytest.raises(SpecError, match=r"threshold is 0.8, .* stored at 0.5, 0.9, 0.95, 0.99"):
        analysis.classify("liu2022", table, params={"threshold": 0.8})
    with pytest.raises(SpecError, match=r"reads the column 'test_step_95', which outcomes lacks"):
        analysis.classify("liu2022", table, params={"threshold": 0.95})
    with pytest.raises(SpecError, match=r"reads the column 'final_test_accuracy', which outcomes lacks"):
        analysis.classify("doshi2023", table)


def test_a_users_definition_is_a_path_or_text_and_has_thresholds(tmp_path):
    path = tmp_path / "mine.sql"
    path.write_text(LEARNED)
    row = outcome(10, 20) | {"test_step_95": None, "test_step_99": None}
    for given in (str(path), LEARNED, Definition("mine", LEARNED)):
        assert phase(given, row, outcome(10, None), outcome(None, None)) == ["high", "low", "odd"]
        assert phase(given, row, threshold=0.95) == "low"
        with pytest.raises(SpecError, match=r"has no parameter 'treshold'. Did you mean 'threshold'"):
            phase(given, row, treshold=0.95)
        with pytest.raises(SpecError, match=r"threshold is 0.8, .* stored at 0.5, 0.9, 0.95, 0.99"):
            phase(given, row, threshold=0.8)
    assert phase(SIMPLE, outcome(10, 20), outcome(10, None, status="running")) == ["high", "unresolved"]
    with pytest.raises(SpecError, match=r"'own' reads the column 'final_test_accuracy', which outcomes lacks"):
        analysis.classify(SIMPLE, pa.table({"run_id": ["a"]}))
    with pytest.raises(SpecError, match=r"'own', given as text, line 1: it has no table of its phases"):
        analysis.classify("select run_id, 'low' as phase from outcomes", pa.table({"run_id": ["a"]}))


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
        (1.00, None, "unresolved"),  # asked of no unseen task
        (0.40, None, "unlearned"),  # of none, and knows not even the others
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
