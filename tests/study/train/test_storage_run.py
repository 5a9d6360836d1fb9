"""`study run` with a real Ray and its parts in a bucket: killed, gone on with, and read from another folder."""

import pytest

from study.store.database import Store
from study.store.storage import storage_at
from tests.study.train.test_run import LINE, PACK_SIZE
from tests.support.driver import Driver, wait_for
from tests.support.s3 import serving
from tests.support.studies import metrics, run_cli, study_file, trained_file

pytestmark = [pytest.mark.ray, pytest.mark.slow]  # without Ray it is in store/test_storage.py


def test_a_study_in_a_bucket_is_killed_and_goes_on_to_the_numbers_of_one_on_a_disk(tmp_path):
    study, folder = study_file(tmp_path, seeds=3, horizon=600), tmp_path / "store"
    undisturbed = trained_file(study, tmp_path / "undisturbed", PACK_SIZE)
    with serving() as s3:
        url = s3.new_url()
        with Driver(study, folder, "--storage", url, *LINE):
            assert wait_for(lambda: list(storage_at(url).names("checkpoints")))
        opened = Store.open(folder, write=True)
        opened.ingest()
        before = opened.sql("select run_id from runs where status = 'finished'").fetchall()
        assert len(before) < 12
        done = run_cli("run", study, "--store", folder, *LINE)  # the storage is remembered
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("small: all 12 runs are in")
        assert metrics(opened) == metrics(undisturbed)
        tries = dict(opened.sql("select run_id, count(*)::integer from attempts group by run_id").fetchall())
        assert {tries[run_id] for (run_id,) in before} <= {1}
        kept = {path.name for path in folder.iterdir()}
        assert kept == {".lock", "storage.json", "study.duckdb"}
        other = Store.open(tmp_path / "other", write=True, storage=url)
        other.ingest()
        assert metrics(other) == metrics(undisturbed)
