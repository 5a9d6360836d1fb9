"""A user's folder, whose modules this process forgets afterwards."""

import importlib
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder of a user. What is imported from it is forgotten, and nothing is compiled."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("study.check.training.find_compiler", lambda device: None)
    monkeypatch.setattr("study.check.training.TIMED_SECONDS", 0.01)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{tmp_path}{os.sep}"):
            del sys.modules[name]
    importlib.invalidate_caches()
