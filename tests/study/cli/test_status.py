"""`study status` of stores with many studies, and with specs that no study would write."""

import json

import pytest

from study.store.database import Store
from study.store.parts import Recorder, write_plan
from study.store.status import PHASES, status_rows
from study.store.studies import definition_of
from tests.support.parts import PROVENANCE, A, B, RunId, invented, losses, plan_row, state
from tests.support.phases import LEARNED, SIMPLE

ODD_SPECS = ["[1, 2]", "null", "5", '"text"', "{}", "[" * 900 + "]" * 900, '{"axes": null}', '{"axes": [1, {}]}',
    '{"axes": "x", "question": {"a": [1]}}', '{"definition": {"a": 1}, "definition_sql": 5}', '{"definition": [1]}',
    '{"leave_when_generalized": "perhaps"}', '{"leave_when_generalized": [true]}', '{"seeds": 1e400, "search": 7}',
]  # fmt: skip


def store_of(path, specs: dict[str, dict]) -> Store:
    """Two finished runs in each study, one of which all studies share."""
    recorder = Recorder(path, "pack", PROVENANCE)
    for study, spec in specs.items():
        own = invented(study)
        write_plan(path, study, spec, [plan_row(A), plan_row(own, horizon=300)])
        accuracy = losses(own, [0, 100, 300], value=1.0) | {"metric": ["accuracy"] * 3}
        recorder.flush(accuracy, [state(own, status="finished", steps=300, horizon=300)])
    recorder.flush(losses(A, [0, 100]), [state(A, status="finished", steps=100)])
    store = Store.open(path, write=True)
    assert store.ingest().skipped == []
    return store


def specs_of(count: int) -> dict[str, dict]:
    """Studies with definitions of ours, of the store, and with two texts of one name."""
    own = [{}, {"definition": "liu2022"}, {"definition": "mine", "definition_sql": LEARNED},
           {"definition": "mine", "definition_sql": SIMPLE}, {"definition": "nobody's"}]  # fmt: skip
    return {f"s{i:02}": {"question": "?", "axes": {"a": [1]}, **own[i % len(own)]} for i in range(count)}


def test_each_study_is_counted_by_its_own_definition(tmp_path):
    store = store_of(tmp_path, specs_of(10))
    rows = {row["study"]: row for row in status_rows(store, None)}
    assert list(rows) == list(specs_of(10))
    for study, row in rows.items():
        name = definition_of(store, study).name
        counted = store.of(study).sql(PHASES, [study, name, name]).fetchall()
        assert row["definition"] == name
        assert row["phases"] == ", ".join(f"{runs} {phase}" for _, phase, runs, _ in counted)
        assert [row] == status_rows(store, study)
    assert len({row["phases"] for row in rows.values()}) > 1


def test_a_store_of_many_studies_is_asked_as_often_as_one_of_few(tmp_path, call, monkeypatch):
    asked: list[str] = []
    sql = Store.sql

    def counted(store: Store, text: str, params: object = None) -> object:
        asked.append(text)
        return sql(store, text, params)

    monkeypatch.setattr(Store, "sql", counted)
    numbers = []
    for count in (5, 25):
        store = store_of(tmp_path / str(count), specs_of(count))
        asked.clear()
        assert len(json.loads(call("status", "--store", store.path, "--json").out)) == count
        numbers.append(len(asked))
    assert numbers[0] == numbers[1]


def test_specs_of_other_kinds_are_studies_without_a_question(tmp_path, call):
    specs = {f"odd{i:02}": json.loads(text) for i, text in enumerate(ODD_SPECS) if "1e400" not in text}
    store = store_of(tmp_path, {"good": {"question": "?"}, **specs})
    for words in (["status"], ["status", "--json"], ["list", "own"], ["list", "own", "--json"]):
        said = call(*words, "--store", store.path)
        assert said.code == 0
        assert all(study in said.out for study in specs)
    [good] = status_rows(store, "good")
    assert (good["runs"], good["finished"]) == (2, 2)


@pytest.mark.parametrize("spec", ODD_SPECS)
def test_views_survive_any_spec(tmp_path, spec):
    """One study of a foreign part must not take the others away."""
    odd = A if "1e400" in spec else RunId(json.loads(spec))  # what is no JSON has no id
    write_plan(tmp_path, "odd", json.loads(spec), [plan_row(odd, point=spec)])
    write_plan(tmp_path, "good", {}, [plan_row(B)])
    store = Store.open(tmp_path, write=True)
    assert "good" not in str(store.ingest().skipped)
    for view in ("runs", "observed", "outcomes", "study_outcomes", "phases", "study_phases", "cells", "phase_names"):
        store.sql(f"from {view}")
    assert (B, "planned") in store.sql("select run_id, status from outcomes").fetchall()
