"""`study run` with a real Ray and its parts in a bucket: killed, gone on with, and read from another folder."""

import os
import signal
import subprocess

import pytest

from study.storage import storage_at
from study.store import Store
from tests.driver import RECONNECT_SECONDS, wait_for
from tests.s3 import serving
from tests.studies import command, metrics, run_cli, study_file, trained_file
from tests.test_run import LINE, PACK_SIZE

pytestmark = pytest.mark.ray


def test_a_study_in_a_bucket_is_killed_and_goes_on_to_the_numbers_of_one_on_a_disk(tmp_path):
    study, folder = study_file(tmp_path, seeds=3, horizon=600), tmp_path / "store"
    undisturbed = trained_file(study, tmp_path / "undisturbed", PACK_SIZE)
    with serving() as s3:
        url = s3.new_url()
        line, env = command("run", study, "--store", folder, "--storage", url, *LINE)
        env["RAY_gcs_rpc_server_reconnect_timeout_s"] = str(RECONNECT_SECONDS)
        process = subprocess.Popen(line, env=env, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            assert wait_for(lambda: list(storage_at(url).names("checkpoints")))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
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
        assert kept == {".driver.lock", ".lock", "storage.json", "study.duckdb"}
        other = Store.open(tmp_path / "other", write=True, storage=url)
        other.ingest()
        assert metrics(other) == metrics(undisturbed)
