"""What holds for every test of this folder."""

import pytest


@pytest.fixture(autouse=True)
def checkpoint_at_every_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow moment of the machine must not decide which flush carries a checkpoint."""
    monkeypatch.setattr("trainables.engine.CHECKPOINT_SHARE", float("inf"))
