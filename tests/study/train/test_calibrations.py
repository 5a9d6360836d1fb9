"""What was measured of a device is kept in the storage, and packs there are sized by it."""

import pytest

from study.store.folder import Folder
from study.train import calibrations
from study.train.machine import machine
from trainables.device import CPU, cpu_name
from trainables.errors import SpecError
from trainables.limits import Limits

FOUND = Limits(
    products_per_second={"float32": 2e11, "tf32": 2e11, "bfloat16": 1e11}, bytes_per_second=2e10, call_seconds=1e-6
)


def test_each_device_has_a_file_of_its_own(tmp_path):
    storage = Folder(tmp_path)
    assert calibrations.kept(storage, "NVIDIA H200") is None
    assert calibrations.keep(storage, "NVIDIA H200", FOUND) == "devices/nvidia-h200.json"
    assert calibrations.kept(storage, "NVIDIA H200") == FOUND
    assert calibrations.kept(storage, "NVIDIA L4") is None
    assert calibrations.file_of("../../etc/passwd\n") == "devices/etc-passwd.json", "a name leads nowhere else"
    assert calibrations.file_of("...") == "devices/unnamed.json"


@pytest.mark.parametrize("data", [b"", b"{", b"null", b'{"products_per_second": 1}', b"[" * 99_999, b"\xff"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, data):
    storage = Folder(tmp_path)
    storage.write(calibrations.file_of(cpu_name()), data)
    with pytest.raises(
        SpecError, match=r"^devices/.+\.json in .+ Remove it, and measure again with `study doctor --calibrate`"
    ):
        machine("cpu", place=str(tmp_path))


def test_a_machine_has_the_limits_that_were_kept_for_its_device(tmp_path):
    assert machine("cpu").limits is None
    assert machine("cpu", place=str(tmp_path)).profile == CPU
    calibrations.keep(Folder(tmp_path), cpu_name(), FOUND)
    found = machine("cpu", place=str(tmp_path))
    assert found.limits == FOUND
    assert found.profile == CPU.of(FOUND)


def test_a_file_of_another_device_is_refused(tmp_path):
    storage = Folder(tmp_path)
    calibrations.keep(storage, "A B", FOUND)
    with pytest.raises(SpecError, match="it is of device 'A B', not of 'a-b'"):
        calibrations.kept(storage, "a-b")
