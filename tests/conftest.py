"""What holds for every test of this folder."""

import os
import shutil
import tempfile

import pytest

RAY_FOLDER = tempfile.mkdtemp(prefix="r", dir="/tmp")
"""Ray's files and sockets of this process (a short path: sockets take 107 characters): a cluster that a test starts is
not found by the tests of another process, nor a user's own cluster by any test."""

os.environ["RAY_TMPDIR"] = RAY_FOLDER


def pytest_unconfigure() -> None:
    shutil.rmtree(RAY_FOLDER, ignore_errors=True)


@pytest.fixture(autouse=True)
def checkpoint_at_every_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow moment of the machine must not decide which flush carries a checkpoint."""
    monkeypatch.setattr("trainables.session.CHECKPOINT_SHARE", float("inf"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, a file stays in one of them, and all that start a real Ray stay
    together: two at once would fight for the cores. They come first, because they mostly wait, one after the other:
    the other process is busy with the rest meanwhile. `tests/run` has xdist keep this order."""
    items.sort(key=lambda item: item.get_closest_marker("ray") is None)
    for item in items:
        item.add_marker(pytest.mark.xdist_group("ray" if item.get_closest_marker("ray") else item.path.name))
