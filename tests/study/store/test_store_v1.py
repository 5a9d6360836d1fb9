"""A store from before parts had digests is read without loss, and is said to be unchecked."""

import json
import shutil
from pathlib import Path

import pytest

from study.store.database import Store
from study.store.parts import Recorder
from tests.data.make_store_v1 import TABLES
from tests.support.parts import PROVENANCE
from tests.support.studies import run_cli, small, trained

OLD = Path(__file__).parents[2] / "data/store_v1"


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "store"))


def rows(store: Store) -> dict[str, list]:
    return {name: json.loads(json.dumps(store.sql(query).fetchall())) for name, query in TABLES.items()}


def test_all_rows_of_an_old_store_go_in_and_none_is_said_to_be_checked(folder):
    store = Store.open(folder, write=True)
    report = store.ingest()
    number = len(list(folder.rglob("*.parquet")))
    assert (report.parts, report.unchecked, report.skipped) == (number, number, [])
    assert rows(store) == json.loads((OLD / "rows.json").read_text())
    Recorder(folder, "new", PROVENANCE).flush({}, [])
    assert (store.ingest().unchecked, store.ingest(rebuild=True).unchecked) == (0, number)
    counts = "select checked, count(*)::integer from parts group by 1 order by 1"
    assert store.sql(counts).fetchall() == [(False, number), (True, 1)]


def test_an_old_study_goes_on_without_training_again_what_it_has(folder):
    store = Store.open(folder, write=True)
    store.ingest()
    before = rows(store)
    plan = trained(small(), store, limit=3)
    assert [len(pack.run_ids) for pack in plan.packs] == [1]
    assert [row for row in rows(store)["metrics"] if row in before["metrics"]] == before["metrics"]


def test_the_command_says_how_many_parts_were_not_checked(folder):
    said = run_cli("ingest", "--store", folder)
    assert "7 parts are of an older version and have no digest: bytes not checked." in said.stdout
    told = json.loads(run_cli("ingest", "--store", folder, "--rebuild", "--json").stdout)
    assert (told["parts"], told["unchecked"], told["skipped"]) == (7, 7, [])
    assert "digest" not in run_cli("ingest", "--store", folder).stdout
