"""The command line in this process, and a store that it reads."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from study.cli.main import main
from tests.support.studies import study_file, trained_file


@pytest.fixture(scope="session")
def trained_store(tmp_path_factory) -> tuple[Path, Path]:
    """A study file and a store in which it is finished. Tests must not change them."""
    folder = tmp_path_factory.mktemp("cli")
    path = study_file(folder)
    trained_file(path, folder / "store")
    return path, folder / "store"


@pytest.fixture
def call(monkeypatch, capsysbinary):
    """The command line in this process: what it says, and how it ends."""

    def run(*words: object) -> SimpleNamespace:
        monkeypatch.delenv("STUDY_STORE", raising=False)
        monkeypatch.setattr(sys, "argv", ["study", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsysbinary.readouterr()
        out, err = captured.out.decode(errors="replace"), captured.err.decode()
        return SimpleNamespace(code=ended.value.code or 0, bytes=captured.out, out=out, err=err)

    return run


@pytest.fixture
def fresh_store(trained_store, tmp_path) -> tuple[Path, Path]:
    """A study file, and a store of one's own in which it is finished."""
    path, store = trained_store
    shutil.copytree(store, tmp_path / "store")
    return path, tmp_path / "store"
