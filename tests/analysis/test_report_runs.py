"""The runs in a report: its table of them, and at which horizons they are judged."""

import re
import shlex
from html import unescape

import pytest

from analysis import report_runs
from study.store.database import Store
from study.store.studies import judged
from tests.support.reports import table_of, words, written
from tests.support.synthetic import STEPS, run, step_up, write_study

WIDTHS = [4, 8, 16]
GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    runs = [run(f"r{width}-{seed}", GROKKED, {"model.width": width}, seed=seed) for width in WIDTHS for seed in (0, 1)]
    runs.append(run("broken", {}, {"model.width": 4}, seed=2, status="failed", stop_reason=None, error="no disk"))
    runs.append(run("waiting", {}, {"model.width": 8}, seed=2, status="planned"))
    return write_study(tmp_path_factory.mktemp("store"), runs, axes={"model.width": WIDTHS})


def test_the_table_of_runs_has_all_of_them(store, tmp_path):
    found = table_of(written(store, tmp_path))
    rows = [dict(zip(["run_id", "point", *found["columns"]], row, strict=True)) for row in found["runs"]]
    assert len({row["run_id"] for row in rows}) == 8
    assert [found["points"][row["point"]][0] for row in rows] == ["width 4"] * 3 + ["width 8"] * 3 + ["width 16"] * 2
    assert [(row["phase"], row["train_step_95"], row["test_step_95"], row["status"]) for row in rows[:3]] == [
        ("grokking", 5, 200, "finished"),
        ("grokking", 5, 200, "finished"),
        ("unresolved", None, None, "failed"),
    ]
    assert {"seed", "final_train_accuracy", "final_test_accuracy"} <= rows[0].keys()


def test_of_more_runs_than_a_page_holds_it_says_how_to_get_them(store, tmp_path, monkeypatch):
    monkeypatch.setattr(report_runs, "MAX_RUNS", 7)
    page = written(store, tmp_path)
    assert "runsTable({" not in page
    [command] = re.findall(r"<pre>(study sql .*?)</pre>", page)
    _, _, query, *rest = shlex.split(unescape(command))
    assert rest[-4:] == ["--format", "csv", ">", "runs.csv"]
    assert store.sql(query).to_arrow_table().num_rows == 8


def test_runs_at_two_horizons_are_not_mixed_silently(tmp_path):
    runs = [run(f"{i}", GROKKED, {"model.width": 4}, seed=i) for i in range(3)]
    store = write_study(tmp_path / "store", runs, {"model.width": [4]})
    assert "different horizons" not in written(store, tmp_path)
    longer = {name: [*values, 1.0] for name, values in GROKKED.items()}
    later = [run("0", longer, {"model.width": 4}, at=[*STEPS, 2000])]
    later += [facts | {"horizon": 2000, "status": "planned"} for facts in runs[1:]]
    page = written(write_study(tmp_path / "store", later, {"model.width": [4]}), tmp_path)
    text = words(page)
    assert "1 of 3 runs 2 finished at an earlier horizon" in text
    assert "Runs are judged at different horizons here: 2 at step 1,000, 1 at step 2,000." in text
    assert "--at-horizon 1000" in text
    found = table_of(page)
    assert sorted(row[2 + found["columns"].index("judged_at")] for row in found["runs"]) == [1000, 1000, 2000]
    page = written(judged(store, "toy", 1000), tmp_path)
    assert "3 of 3 runs horizon 1,000 steps" in words(page)
    assert "different horizons" not in page
    found = table_of(page)
    assert [row[2 + found["columns"].index("judged_at")] for row in found["runs"]] == [1000] * 3
