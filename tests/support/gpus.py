"""GPUs that are not there: Ray is told of them, and what would train on one trains on a core of the CPU."""

from pathlib import Path

from tests.support.altered import altered

NAME, FREE_BYTES = "NVIDIA H100 80GB HBM3", 80e9
MACHINE = f"""
import os, torch
resolve_device = torch.device

def gpus_here():
    return [({NAME!r}, {FREE_BYTES!r}, {FREE_BYTES!r})] * int(os.environ["STUDY_TEST_GPUS"])
"""
WORKER = """
import json, os, time, torch
resolve_device = lambda device: torch.device("cpu")
_train = train

def train(pack, settings, trial_id, heartbeat):
    about = {"pack": pack.pack_id, "runs": len(pack.run_ids), "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
             "parent": os.getppid(), "start": time.time()}
    try:
        _train(pack, settings, trial_id, heartbeat)
    finally:
        name = f"{pack.pack_id}-{time.time_ns()}.json"
        with open(os.path.join(os.environ["STUDY_TEST_USED"], name), "w") as file:
            json.dump(about | {"end": time.time()}, file)
"""


def fake_gpus(folder: Path, number: int) -> dict[str, str]:
    """The environment of processes that see so many GPUs on each node, and write into `folder/used` which one a pack
    had, and when."""
    (folder / "used").mkdir(parents=True)
    path = altered(folder / "altered", {"study.train.machine": MACHINE, "study.train.worker": WORKER})
    return {"PYTHONPATH": path, "STUDY_TEST_GPUS": str(number), "STUDY_TEST_USED": str(folder / "used")}
