"""Derived tables are what their selects give, whatever parts come in, and are made anew when these change."""

import random
from pathlib import Path

import duckdb
import pytest

from study.store import derived
from study.store.database import FILE, Store
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


def write_all(path: Path) -> None:
    """Plans and packs: two studies with one run, of which one stops at generalization, a longer horizon, an attempt
    that dies and one that goes on, a run that fails, and a part of the user's whose version is raised."""
    write_plan(path, "s", {"leave_when_generalized": False}, [plan_row(A), plan_row(B), plan_row(OLD)])
    lost = invented("of a plan that is damaged")
    Recorder(path, "alone", PROVENANCE).flush({}, [state(lost, steps=9, status="finished", stop_reason="diverged")])
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
        copy = tmp_path / "store" / part.relative_to(tmp_path / "source")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(part.read_bytes())
        assert store.ingest().parts == 1
        assert differences(tmp_path / "store") == dict.fromkeys(derived.DERIVED, 0), part.name
    ended = store.sql("select study, run_id, status, cut from observed where study is not null order by all").fetchall()
    assert (("t", A, "finished", 100) in ended, ("s", OLD) in {row[:2] for row in ended}) == (True, False)


def test_they_are_made_anew_when_a_select_changes(tmp_path, monkeypatch):
    write_all(tmp_path)
    store = Store.open(tmp_path, write=True)
    store.ingest()
    selects = {name: derived.select_of(name) for name in derived.DERIVED}
    longer = selects | {"runs": f"select *, steps + 1 as more from ({selects['runs']})"}
    monkeypatch.setattr(derived, "select_of", lambda name: longer[name])
    store.ingest()
    assert store.sql("select bool_and(more = steps + 1), count(*)::integer from runs").fetchall() == [(True, 4)]
    assert differences(tmp_path) == dict.fromkeys(derived.DERIVED, 0)
