"""Two `study run` on one storage, each with a store and a Ray of its own: refused, suspended, taken over, told."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from study.store.database import Store
from study.store.storage import storage_at
from tests.support.altered import altered
from tests.support.driver import Driver, wait_for
from tests.support.pages import ROOT
from tests.support.s3 import serving
from tests.support.studies import metrics, run_cli, study_file, trained_file

pytestmark = [pytest.mark.ray, pytest.mark.slow]  # without Ray it is in store/test_lease.py

PACK_SIZE = 3
LINE = ["--compile", "off", "--pack-size", PACK_SIZE, "--flush-seconds", 0.2]
PATIENCE = {"study.store.lease": "RENEW_SECONDS, STALE_SECONDS = 1.0, 20.0"}
"""A lease is taken over after seconds instead of a minute."""


@contextmanager
def place(kind: str, folder: Path) -> Iterator[str]:
    if kind == "file":
        yield f"file://{folder}/mount"
    else:
        with serving() as s3:
            yield s3.new_url()


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_a_driver_that_sleeps_is_taken_over_from_and_stops_when_it_wakes_up(tmp_path, kind):
    study = study_file(tmp_path, seeds=3, horizon=1200)
    undisturbed = trained_file(study, tmp_path / "undisturbed", PACK_SIZE)
    env = {"PYTHONPATH": f"{altered(tmp_path / 'altered', PATIENCE)}:{ROOT}"}
    with place(kind, tmp_path) as url:
        one, other = (tmp_path / name for name in ("one", "other"))
        with Driver(study, one, "--storage", url, *LINE, **env) as first:
            assert wait_for(lambda: list(storage_at(url).names("checkpoints")))
            refused = run_cli("run", study, "--store", other, "--storage", url, *LINE, **env)
            assert first.process.poll() is None, "the study was over too soon to show anything"
            assert (refused.returncode, refused.stdout) == (2, "")
            said = refused.stderr.splitlines()[-1]
            assert f"another `study run` is at work here (process {first.process.pid} on {os.uname().nodename})" in said
            first.process.send_signal(signal.SIGSTOP)
            with Driver(study, other, *LINE, **env) as second:  # the storage is remembered
                code, out, err = second.end()
            assert code == 0, err
            assert out.startswith("small: all 12 runs are in")
            assert f"taken over from process {first.process.pid}" in err
            first.process.send_signal(signal.SIGCONT)
            code, out, err = first.end()
        assert (code, out) == (2, ""), err
        assert "another `study run` has taken over" in err.splitlines()[-1]
        assert "Traceback" not in err
        assert list(storage_at(url).names("driver")) == []
        opened = Store.open(one, write=True)
        opened.ingest(rebuild=True)
        assert metrics(opened) == metrics(undisturbed)
