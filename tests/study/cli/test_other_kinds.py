"""A store whose JSON is of other kinds than ours, made by hand or by a newer version: one line says what is wrong."""

import json
import math
from typing import Any

import duckdb
import pytest

from study.plan.plan import MOST_RUNS

READING = (
    ["show", "small"],
    ["plan", "small"],
    ["phases", "small"],
    ["phases", "small", "--x", "weight_decay"],
    ["report", "small", "--out", "page.html"],
)
DEEP = "[" * 3000 + "]" * 3000


@pytest.fixture
def read(call, fresh_store, tmp_path, monkeypatch):
    """What each of these commands says after `statement` has changed the store's file."""
    monkeypatch.chdir(tmp_path)
    file = fresh_store[1] / "study.duckdb"

    def reading(statement: str, value: Any, commands: Any = READING) -> list[Any]:
        text = value if isinstance(value, str) else json.dumps(value).replace("Infinity", "1e400")
        with duckdb.connect(str(file)) as connection:
            connection.execute(statement, [text])
        found = [call(name, *words, "--store", fresh_store[1]) for name, *words in commands]
        assert not [said for said in found if "Traceback" in said.err]
        return found

    return reading


@pytest.fixture
def spec(fresh_store) -> dict[str, Any]:
    with duckdb.connect(str(fresh_store[1] / "study.duckdb"), read_only=True) as connection:
        return json.loads(connection.execute("select spec from studies").fetchall()[0][0])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ([1, 2], "a spec of it in this store must be an object, got [1, 2]"),
        ("null", "must be an object, got None"),
        ("7", "must be an object, got 7"),
        (DEEP, "cannot be read (RecursionError"),
        ('{"axes": ' + "1" * 5000 + "}", "cannot be read (ValueError"),
        ({"question": ["why"]}, "must have text as 'question', got ['why']"),
        ({"base": []}, "must have an object as 'base', got []"),
        ({"axes": ["task.p"]}, "must have an object as 'axes', got ['task.p']"),
        ({"axes": {"task.p": 7}}, "must have a list of values for axis 'task.p', got 7"),
        ({"axes": {"task.p": [{"a": 1}]}}, "must have plain values for axis 'task.p'"),
        ({"axes": {"task.p": [math.inf]}}, "must have plain values for axis 'task.p', got [inf]"),
        ({"axes": {"task.p": [10**400]}}, "must have plain values for axis 'task.p'"),
    ],
    ids=str,
)
def test_a_spec_of_another_kind_is_one_line_that_names_the_study(read, spec, change, says):
    for said in read("update studies set spec = ?", spec | change if isinstance(change, dict) else change):
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
        assert said.err.startswith("study: study 'small': ")
        assert says in said.err
        assert len(said.err) < 400


@pytest.mark.parametrize(
    "change",
    [
        {"axes": None},
        {"seeds": "many"},
        {"seeds": 10**12},
        {"seeds": None},
        {"horizon": [1]},
        {"extra": {"a": 1}},
        {"search": 7},
        {"search": {}},
        {"sampler": 7},
        {"probes": 3},
        {"newer": 1},
        {"base": {"task": 1}},
        {"definition": 7},
        {"evaluations_per_decade": "x"},
    ],
    ids=str,
)
def test_what_takes_the_whole_spec_names_the_study_and_the_rest_shows_what_there_is(read, spec, change):
    for said in read("update studies set spec = ?", spec | change, READING[:3]):
        assert said.code in (0, 2), said.err
        if said.code:
            assert (said.out, said.err.count("\n")) == ("", 1), said.err
            assert "small" in said.err


def test_more_runs_than_can_be_planned_are_refused_at_once(read, spec):
    shown, planned, *_ = read("update studies set spec = ?", spec | {"seeds": 10**12}, READING[:2])
    for said in (shown, planned):
        assert said.code == 2
        assert f"asks for 4 points x 1,000,000,000,000 seeds: more than {MOST_RUNS:,} runs" in said.err
    [first] = read("update studies set spec = ?", spec | {"seeds": 10**12}, (["plan", "small", "--runs", "8"],))
    assert (first.code, first.out) == (0, "small: 8 planned, 8 finished, 0 missing\n"), first.err


@pytest.mark.parametrize(
    "spec_", [[1], "7", DEEP, {"axes": 7, "question": [1]}], ids=["list", "number", "deep", "axes"]
)
def test_what_is_about_all_studies_shows_them_as_far_as_it_goes(read, spec_):
    for said in read("update studies set spec = ?", spec_, (["status"], ["list", "own"], ["sql", "from studies"])):
        assert (said.code, said.err) == (0, "")
        assert "small" in said.out


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ([1], "must be an object, got [1]"),
        ("null", "must be an object, got None"),
        ('"x"', "must be an object, got 'x'"),
        ({"task.train_fraction": {"a": [1]}}, "must have a plain value for axis 'task.train_fraction'"),
        ({"task.train_fraction": math.inf}, "must have a plain value for axis 'task.train_fraction', got inf"),
        (DEEP, "cannot be read (RecursionError"),
    ],
    ids=str,
)
def test_a_point_of_another_kind_is_one_line_that_names_the_study(read, point, says):
    statement = "update study_runs set point = ? where run_id = (select min(run_id) from study_runs)"
    for said in read(statement, point):
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
        assert said.err.startswith("study: study 'small': a point of it in this store ")
        assert says in said.err


@pytest.mark.parametrize("versions", ["[1]", "7", "null", '{"torch": [1, {"a": null}]}', DEEP], ids=lambda v: v[:9])
def test_a_report_shows_an_attempt_whose_versions_are_of_another_kind(read, versions):
    [said] = read("update attempts set versions = ?", versions, READING[-1:])
    assert (said.code, said.err) == (0, "")


@pytest.mark.parametrize("run", ["[1]", "{}", '{"task": 7}', '{"task": {"name": "modular", "p": "x"}}', DEEP])
def test_a_run_of_another_kind_is_named_by_what_goes_on_with_it(call, read, fresh_store, run):
    read("update run_specs set spec = ?", run, ())
    said = call("extend", "small", "--horizon", "99", "--store", fresh_store[1])
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
    assert said.err.startswith("study: study 'small': run ")
