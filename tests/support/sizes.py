"""Packs that each study of the catalog gets on some machines: a table, so that a change to any size is seen.

python -m tests.support.sizes        # prints it; tests/data/pack_sizes.txt is what it printed last
"""

from collections import Counter

from study.plan.packing import Machine, pack_bytes
from study.plan.plan import plan_runs, planned_runs
from study.spec import CATALOG, find
from trainables.components import available
from trainables.device import CPU, CUDA
from trainables.limits import SHEETS

GIGABYTES = {"H100": 80, "H200": 141, "A100": 80, "L4": 24}


def machines() -> dict[str, Machine]:
    """Two cores with 3 GB for packs, and one GPU of each kind with all of its memory free."""
    found = {"2 cores": Machine("cpu", 2, CPU.memory_most / 2)}
    for name, gigabytes in GIGABYTES.items():
        found[name] = Machine("cuda", 1, CUDA.memory_share * gigabytes * 1e9, limits=SHEETS[name])
    return found


def sizes(name: str) -> dict[str, str]:
    """The packs of a study by machine, as in `3x16 + 1x2`: three of 16 runs and one of two."""
    study, found = find(name), {}
    runs = planned_runs(study)
    for machine, on in machines().items():
        packs = plan_runs(study, runs, None, on).packs
        assert all(pack_bytes(pack.specs) <= on.memory for pack in packs if len(pack.specs) > 1), (name, machine)
        counts = sorted(Counter(len(pack.specs) for pack in packs).items(), reverse=True)
        found[machine] = " + ".join(f"{number}x{size}" for size, number in counts)
    return found


def table() -> str:
    """One line for each study and machine."""
    rows = [(name, *pair) for name in available(CATALOG) for pair in sizes(name).items()]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return "".join(f"{name:{widths[0]}}  {machine:{widths[1]}}  {packs}\n" for name, machine, packs in rows)


if __name__ == "__main__":
    print(table(), end="")
