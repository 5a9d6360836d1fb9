"""Packs of the whole catalog on five machines, beside what they were last: nobody changes a size without seeing it."""

from pathlib import Path

import pytest

from study.spec import CATALOG
from tests.support.sizes import GIGABYTES, machines, sizes, table
from trainables.components import available
from trainables.device import CPU

SNAPSHOT = Path(__file__).parents[2] / "data" / "pack_sizes.txt"


def test_packs_of_the_catalog_are_as_they_were():
    """After a change that is meant: python -m tests.support.sizes > tests/data/pack_sizes.txt, and look at its diff."""
    assert table() == SNAPSHOT.read_text()


def test_every_study_has_packs_on_every_machine():
    lines = SNAPSHOT.read_text().splitlines()
    assert len(lines) == len(available(CATALOG)) * (1 + len(GIGABYTES))
    assert set(machines()) == {"2 cores", *GIGABYTES}


def test_a_gpu_gets_larger_packs_than_two_cores_and_a_faster_one_larger_packs_still():
    """The same number of runs in all."""
    found = {
        machine: [part.split("x") for part in packs.split(" + ")]
        for machine, packs in sizes("ungrokking_paper").items()
    }
    runs = {machine: sum(int(number) * int(size) for number, size in packs) for machine, packs in found.items()}
    largest = {machine: max(int(size) for _, size in packs) for machine, packs in found.items()}
    assert len(set(runs.values())) == 1
    assert largest["2 cores"] <= CPU.largest_pack
    assert largest["2 cores"] < largest["A100"] < largest["L4"] < largest["H100"] == largest["H200"], "by their rates"


@pytest.mark.parametrize("machine", ["H100", "H200"])
def test_large_models_share_a_gpu(machine):
    """GPT-2 at the paper's size, in bfloat16: its step alone does not fill these GPUs."""
    assert sizes("regimes_paper")[machine] != "54x1"
    assert sizes("pathways_paper")[machine] != "16x1"
