"""Derived tables are what their selects give, whatever parts come in, and are made anew when these change."""

import random
from pathlib import Path

import duckdb
import pytest

from study.store import derived
from study.store.database import FILE, Store
from study.store.errors import StoreError
from study.store.parts import Recorder, write_plan
from tests.support.parts import PROVENANCE, A, B, invented, losses, plan_row, state

OLD, NEW = (invented("own", task={"name": "own", "version": version}) for version in ("1", "2"))


def differences(path: Path) -> dict[str, int]:
    """How many rows of each derived table are not what its select gives on the whole store, or are missing."""
    with duckdb.connect(path / FILE, read_only=True) as connection:
        found = {}
        for name in derived.DERIVED:
            wanted, there = f"({derived.select_of(name)})", f"(select * from {name})"
            both = f"({wanted} except all {there}) union all ({there} except all {wanted})"
            [(found[name],)] = connection.execute(f"select count(*) from ({both})").fetchall()
        return found


def brought_in(source: Path, store: Store, parts: list[Path]) -> None:
    """Copy parts of `source` into a store, and ingest them at once."""
    for part in parts:
        copy = store.path / part.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(part.read_bytes())
    assert store.ingest().parts == len(parts)


def write_all(path: Path) -> None:
    """Plans and packs: two studies with one run, of which one stops at generalization, a longer horizon, an attempt
    that dies and one that goes on, a run that fails, and a part of the user's whose version is raised."""
    write_plan(path, "s", {"leave_when_generalized": False}, [plan_row(A), plan_row(B), plan_row(OLD)])
    lost = invented("of a plan that is damaged")
    ended = {"steps": 9, "status": "finished"}
    Recorder(path, "alone", PROVENANCE).flush({}, [state(lost, stop_reason="diverged", **ended)])
    Recorder(path, "alone-again", PROVENANCE).flush({}, [state(lost, 2, stop_reason="left", **ended)])
    write_plan(path, "t", {"leave_when_generalized": True}, [plan_row(A)])
    pack = Recorder(path, "pack", PROVENANCE)
    pack.flush(losses(A, [0, 40]), [state(A, steps=40), state(B, steps=0, status="failed", error="full")])
    pack.flush(losses(A, [50]), [state(A, steps=50, status="finished", stop_reason="generalized")])
    write_plan(path, "s", {"leave_when_generalized": False}, [plan_row(A, horizon=200), plan_row(B, horizon=200)])
    again = Recorder(path, "again", PROVENANCE)
    again.flush(losses(A, [50, 120], 2), [state(A, 2, steps=120), state(B, 2, steps=20, horizon=200)])
    again.flush(losses(B, [20, 200], 2), [state(A, 2, steps=200, status="finished"), state(B, 2, steps=200)])
    write_plan(path, "s", {"leave_when_generalized": True}, [plan_row(NEW)])


@pytest.mark.parametrize("order", range(4))
def test_part_by_part_they_are_what_their_selects_give(tmp_path, order):
    write_all(tmp_path / "source")
    parts = sorted((tmp_path / "source").rglob("*.parquet"), key=lambda part: part.stat().st_mtime_ns)
    if order:
        random.Random(order).shuffle(parts)
    store = Store.open(tmp_path / "store", write=True)
    for part in parts:
        brought_in(tmp_path / "source", store, [part])
        assert differences(tmp_path / "store") == dict.fromkeys(derived.DERIVED, 0), part.name
    ended = store.sql("select study, run_id, status, cut from observed where study is not null order by all").fetchall()
    assert (("t", A, "finished", 100) in ended, ("s", OLD) in {row[:2] for row in ended}) == (True, False)
    assert store.sql("select reason from ends where ended_at = 9").fetchall() == [("diverged",)]


def test_at_once_with_a_part_that_does_not_go_in_and_made_anew(tmp_path):
    write_all(tmp_path)
    odd = losses(B, [1])
    odd["value"] = [None]
    Recorder(tmp_path, "odd", PROVENANCE).flush(odd, [state(B, 7, steps=7)])
    store = Store.open(tmp_path, write=True)
    assert len(store.ingest().skipped) == 1
    assert differences(tmp_path) == dict.fromkeys(derived.DERIVED, 0)
    store.ingest(rebuild=True)
    assert differences(tmp_path) == dict.fromkeys(derived.DERIVED, 0)


def test_a_chance_that_comes_late_is_in_them(tmp_path):
    write_plan(tmp_path, "s", {}, [plan_row(A)])
    Recorder(tmp_path, "pack", PROVENANCE).flush(losses(A, [0, 100]), [state(A, steps=100, status="finished")])
    store = Store.open(tmp_path, write=True)
    store.ingest()
    write_plan(tmp_path, "t", {}, [plan_row(A, chance_accuracy=0.5)])
    store.ingest()
    assert differences(tmp_path) == dict.fromkeys(derived.DERIVED, 0)
    assert store.sql("select chance_accuracy from outcomes").fetchall() == [(0.5,)]


def test_they_are_made_anew_when_a_select_changes(tmp_path, monkeypatch):
    write_all(tmp_path)
    store = Store.open(tmp_path, write=True)
    store.ingest()
    selects = {name: derived.select_of(name) for name in derived.DERIVED}
    longer = selects | {
        "runs": f"select *, steps + 1 as more from ({selects['runs']})",
        "observed": f"select observed.*, more from ({selects['observed']}) as observed join runs using (run_id)",
    }
    monkeypatch.setattr(derived, "select_of", lambda name: longer[name])
    assert store.ingest().parts == 0
    assert store.sql("select bool_and(more = steps + 1), count(*)::integer from runs").fetchall() == [(True, 4)]
    assert store.sql("select count(more) = count(*) from observed").fetchall() == [(True,)]
    assert differences(tmp_path) == dict.fromkeys(derived.DERIVED, 0)


def test_a_select_that_does_not_work_is_named_and_nothing_is_lost(tmp_path, monkeypatch):
    write_all(tmp_path)
    store = Store.open(tmp_path, write=True)
    store.ingest()
    good = derived.select_of
    monkeypatch.setattr(derived, "select_of", lambda name: "select nothing" if name == "observed" else good(name))
    with pytest.raises(StoreError, match=r"derived/observed\.sql does not work: .*nothing"):
        store.ingest()
    monkeypatch.setattr(derived, "select_of", good)
    assert store.ingest().parts == 0
    assert differences(tmp_path) == dict.fromkeys(derived.DERIVED, 0)
