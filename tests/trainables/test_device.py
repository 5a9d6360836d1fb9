"""Names of devices."""

import pytest
import torch

from trainables.device import resolve_device
from trainables.errors import SpecError


def test_cuda_where_there_is_none_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")
    for device in ("cuda", "cuda:1"):
        with pytest.raises(SpecError, match=f"^device '{device}': torch sees no CUDA device here"):
            resolve_device(device)


def test_a_name_that_no_device_has_is_refused_in_one_line():
    for device in ("gpu", "cpu:0", "cuda:x", ""):
        with pytest.raises(SpecError, match=f"^device '{device}' is not known. Use auto, cpu, cuda or cuda:N.$"):
            resolve_device(device)
