"""`study list`: the catalog by how long it takes, what is done of it, and what the store has beside it."""

import json

import pytest

from study.cli.listing import GROUPS, group_of, print_list
from study.spec import CATALOG
from study.store.database import Store
from tests.support.studies import small, trained
from trainables.components import available

ROW = {
    "group": "quick",
    "runs": 128,
    "planned": 0,
    "finished": 0,
    "estimated_seconds": 200,
    "axes": "task.train_fraction, optimizer.weight_decay",
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list[dict]:
    """The list for a store with half of `first_map` (which is a tiny study there) and a study of its own."""
    from study.cli.listing import list_rows

    store = Store.open(tmp_path_factory.mktemp("list"), write=True)
    trained(small("first_map"), store, limit=4)
    trained(small("mine"), store)
    return list_rows(store)


def test_every_study_of_the_catalog_is_in_a_group_with_a_time_and_a_question(rows):
    known = [row for row in rows if row["group"] != "own"]
    assert sorted(row["study"] for row in known) == available(CATALOG)
    assert all(row["runs"] > 0 and row["question"].endswith("?") and row["axes"] for row in known)
    assert all(row["estimated_seconds"] >= 0 for row in known)
    assert [group for group in GROUPS if group in {row["group"] for row in rows}] == list(GROUPS)
    assert [row["group"] for row in rows] == sorted((row["group"] for row in rows), key=list(GROUPS).index)


def test_groups_follow_from_the_name_and_from_the_time_on_two_cores(rows):
    assert group_of("a", 60) == "quick"
    assert group_of("a", 3000) == group_of("small_a", 60) == "small"
    assert group_of("a", 1e6) == group_of("a_paper", 60) == "paper"
    group = {row["study"]: row["group"] for row in rows}
    assert (group["first_map"], group["small_composition_ratio"], group["composition_ratio"]) == (
        "quick", "small", "paper",
    )  # fmt: skip


def test_what_is_done_in_the_store_is_counted_and_its_other_studies_come_last(rows):
    done = {row["study"]: (row["finished"], row["planned"]) for row in rows}
    assert (done["first_map"], done["mine"], done["ungrokking"]) == ((4, 4), (8, 8), (0, 0))
    assert rows[-1] | {"axes": ""} == {
        "study": "mine", "group": "own", "runs": 8, "planned": 8, "finished": 8, "estimated_seconds": None,
        "axes": "", "question": "Does it run?",
    }  # fmt: skip


def test_a_group_is_listed_alone(call, tmp_path):
    listed = json.loads(call("list", "small", "--store", tmp_path, "--json").out)
    assert {row["group"] for row in listed} == {"small"}
    assert "no studies" in call("list", "own", "--store", tmp_path).out


def test_a_store_that_cannot_be_read_does_not_keep_the_catalog_away(call, tmp_path):
    (tmp_path / "study.duckdb").write_bytes(b"garbage" * 1000)
    said = call("list", "small", "--store", tmp_path)
    assert said.code == 0
    assert said.err.startswith("study: what is done is not shown: store file")
    assert "small_composition_ratio" in said.out


@pytest.mark.parametrize(("width", "columns"), [(200, "question axes"), (100, "question"), (40, None)])
def test_in_a_narrow_terminal_axes_make_way_and_then_lines_take_the_place_of_the_table(capsys, width, columns):
    question = "Where does a small network memorize addition modulo 23, where does it grok, and where not?"
    names = ["first_map", "modular_addition_decay"]
    print_list([ROW | {"study": name, "question": question} for name in names], done=True, width=width)
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "quick: up to 15 minutes on two CPU cores"
    assert max(len(line.rstrip()) for line in lines[:-1]) <= width
    if columns:
        assert lines[2].split() == ["study", "runs", "done", "time", *columns.split()]
    else:
        assert lines[2:5] == ["first_map", "  128 runs, ~3 min", "  Where does a small network memorize"]


def test_of_a_study_that_is_begun_the_catalog_says_how_many_of_all_runs_are_done(capsys):
    print_list([ROW | {"study": "a", "question": "?", "planned": 8, "finished": 5}], done=True, width=100)
    assert "5/128" in capsys.readouterr().out
