"""The phase definitions that a store keeps beside ours."""

import logging

import duckdb
import pytest

from study.store import own_definitions
from study.store.connection import VERSION
from study.store.database import FILE, Store
from study.store.definitions import Definition, definitions
from study.store.studies import definition_of
from tests.support.phases import FRAIL, HOSTILE, LEARNED, SIMPLE
from tests.support.synthetic import run, run_id_of, step_up, write_study
from trainables.errors import SpecError

PHASES = "select run_id, phase from phases where definition = 'learned' order by all"
LATER = LEARNED.replace("'high' when", "'higher' when").replace("then 'high'", "then 'higher'")


def learned(folder, name: str = "toy", text: str | None = LEARNED, definition: str = "learned") -> Store:
    """A study of a run of each phase and one that waits, with this definition."""
    runs = [
        run(f"{name}-low", {"train.accuracy": step_up(5), "test.accuracy": step_up(None)}, {"model.width": 4}),
        run(
            f"{name}-high", {"train.accuracy": step_up(5), "test.accuracy": step_up(200, high=0.93)}, {"model.width": 4}
        ),
        run(f"{name}-odd", {"train.accuracy": step_up(None), "test.accuracy": step_up(None)}, {"model.width": 8}),
        run(f"{name}-waits", {}, {"model.width": 8}, status="planned"),
    ]
    text_of = {} if text is None else {"definition_sql": text}
    return write_study(folder, runs, {"model.width": [4, 8]}, study=name, definition=definition, **text_of)


def of(name: str, high: str = "high") -> list[tuple[str, str]]:
    phases = {"high": high, "low": "low", "odd": "odd", "waits": "unresolved"}
    return sorted((run_id_of(f"{name}-{end}"), phase) for end, phase in phases.items())


def test_the_views_have_the_stores_own_definitions_beside_ours(tmp_path):
    store = learned(tmp_path)
    assert store.sql(PHASES).fetchall() == of("toy")
    found = store.sql("select distinct definition from phases order by 1").fetchall()
    assert [name for (name,) in found] == sorted([*definitions(), "learned"])
    named = store.sql("select phase, generalized, color from phase_names where definition = 'learned'").fetchall()
    assert [row[:2] for row in named] == [("low", False), ("high", True), ("unresolved", False)]
    cells = store.sql("select phase, runs from cells where definition = 'learned' order by point, phase").fetchall()
    assert cells == [("high", 1), ("low", 1), ("odd", 1), ("unresolved", 1)]
    with duckdb.connect(tmp_path / FILE, read_only=True) as client:  # any client
        assert client.execute(PHASES).fetchall() == of("toy")


def test_a_changed_text_has_a_digest_of_its_own_and_a_study_keeps_its_text(tmp_path):
    learned(tmp_path)
    store = learned(tmp_path, "later", LATER)
    rows = store.sql("select digest, sql, error from definitions where name = 'learned' order by added_at").fetchall()
    assert rows == [(Definition("learned", text).digest, text, None) for text in (LEARNED, LATER)]
    assert sorted(store.sql(PHASES).fetchall()) == sorted(of("later", "higher") + of("toy", "higher"))
    for view in ("phases", "study_phases", "cells"):
        text = f"select distinct phase from {view} where definition = 'learned' order by 1"
        assert ("high",) in store.of("toy").sql(text).fetchall(), view
        assert ("higher",) in store.of("later").sql(text).fetchall(), view
        assert ("high",) in store.of("toy", 1000).sql(text).fetchall(), view
    names = "select phase from phase_names where definition = 'learned' order by 1"
    assert store.of("toy").sql(names).fetchall() == [("high",), ("low",), ("unresolved",)]
    assert definition_of(store, "toy").sql == LEARNED
    assert definition_of(store, "toy").unnamed == ("odd",)
    assert store.runs("toy").set_index("run_id")["phase"][run_id_of("toy-high")] == "high"


def test_a_study_of_ours_may_be_seen_by_a_definition_of_another(tmp_path):
    learned(tmp_path)
    store = learned(tmp_path, "other", None, "liu2022")
    assert definition_of(store, "other").name == "liu2022"
    found = definition_of(store, "other", "learned")
    assert (found.name, found.unnamed, found.generalized) == ("learned", ("odd",), ("high",))
    with pytest.raises(SpecError, match=r"No phase definition named 'lerned'. Did you mean 'learned'"):
        definition_of(store, "other", "lerned")


def test_a_rebuild_has_the_same_definitions(tmp_path):
    learned(tmp_path)
    store = learned(tmp_path, "later", LATER)
    before = [store.sql(text).fetchall() for text in ("from definitions order by all", PHASES)]
    assert not store.ingest(rebuild=True).skipped
    assert [store.sql(text).fetchall() for text in ("from definitions order by all", PHASES)] == before


def test_a_definition_for_one_look_is_not_stored(tmp_path):
    store = learned(tmp_path, text=None, definition="unified")
    seen = store.of("toy", definition=Definition("learned", LEARNED))
    assert seen.sql(PHASES).fetchall() == of("toy")
    assert seen.of("toy", 1000).sql(PHASES).fetchall() == of("toy")
    assert seen.sql("select sum(runs)::integer from cells where definition = 'learned'").fetchall() == [(4,)]
    assert store.sql("select count(*)::integer from definitions").fetchall() == [(0,)]
    assert store.of("toy").sql(PHASES).fetchall() == []


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("evil", HOSTILE, "line 2: it calls 'read_text'"),
        ("unified", SIMPLE, "'unified' is the name of one of ours"),
        ("newer", SIMPLE.replace("final_test_accuracy", "final_test_entropy"), "no column 'final_test_entropy'"),
        ("wrapped", "select 1) as a, (select 2", "line 1: syntax error"),
        ("it's", "select 1 as run_id", "line 1: it has no table of its phases"),
        ("future", None, "the store has no text of it, and it is not one of ours"),
    ],
)
def test_one_that_does_not_work_is_left_out_with_a_warning(tmp_path, caplog, name, text, why):
    own_definitions._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        store = learned(tmp_path, text=text, definition=name)
        learned(tmp_path, "good", SIMPLE)
        found = definition_of(store, "toy")
        phases = store.of("toy").sql("select count(*)::integer from phases where definition = 'unified'").fetchall()
    assert (found.name, phases) == ("unified", [(4,)])
    assert store.sql("select distinct definition from phases order by 1").fetchall() == [
        (known,) for known in sorted([*definitions(), "learned"])
    ]
    said = [record.getMessage() for record in caplog.records if f"{name!r} of study 'toy'" in record.getMessage()]
    assert len(said) == 1
    assert why in said[0]
    assert "\n" not in said[0]
    assert len(store.runs("toy")) == 4
    with duckdb.connect(tmp_path / FILE, read_only=True) as client:
        assert "/etc/" not in str(client.execute("select sql from duckdb_views() where not internal").fetchall())


def test_one_that_fails_on_some_runs_takes_no_other_with_it(tmp_path, caplog):
    own_definitions._warn.cache_clear()
    store = learned(tmp_path, text=FRAIL, definition="frail")
    with caplog.at_level(logging.WARNING):
        for view in ("phases", "study_phases", "cells"):
            for seen in (store, store.of("toy"), store.of("toy", 1000)):
                rows = seen.sql(f"select distinct definition, phase from {view} where phase is not null").fetchall()
                assert {name for name, _ in rows} == {*definitions()}, view
    assert [
        record.getMessage() for record in caplog.records if "'frail' fails on runs, and is left out" in record.message
    ]
    with pytest.raises(SpecError, match="nowhere"):
        store.sql("select nowhere from phases")


def test_a_part_with_a_strange_definition_goes_in(tmp_path):
    for i, strange in enumerate((7, ["select 1"], {"a": 1}, "", None)):
        store = write_study(tmp_path, [], study=f"odd{i}", definition="odd" if i else 7, definition_sql=strange)
    assert store.sql("select count(*)::integer from studies").fetchall() == [(5,)]
    assert store.sql("select count(*)::integer from definitions").fetchall() == [(0,)]


def test_a_new_version_of_the_package_looks_at_them_again(tmp_path, monkeypatch):
    store = learned(tmp_path)
    monkeypatch.setattr(own_definitions, "why_not", lambda definition: ": it is out of fashion")
    with duckdb.connect(tmp_path / FILE) as client:
        client.execute("update store_info set value = 'older' where key = 'views'")
    store.ingest()
    assert store.sql("select error from definitions").fetchall() == [(": it is out of fashion",)]
    assert store.sql(PHASES).fetchall() == []
    assert definition_of(store, "toy").name == "unified"


def test_a_file_of_the_version_without_definitions_is_made_anew(tmp_path):
    store = learned(tmp_path)
    with duckdb.connect(tmp_path / FILE) as client:
        client.execute("drop table definitions")
        client.execute("update store_info set value = '3' where key = 'version'")
    store.ingest()
    assert store.sql("select value from store_info where key = 'version'").fetchall() == [(VERSION,)]
    assert store.sql(PHASES).fetchall() == of("toy")
