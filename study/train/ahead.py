"""Compile the step of a study's first pack while Ray starts: `python -m study.train.ahead`, with the pack on stdin.

A worker would do the same some ten seconds later. It waits for what has begun, and finds it in the compiler's cache.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from study.plan.packing import PackPlan
from study.train.worker import Settings
from trainables.compiler import Compiling, shape_of, was_compiled
from trainables.spec import RunSpec


@contextmanager
def compiled_ahead(pack: PackPlan, settings: Settings, memory: float) -> Iterator[None]:
    """Another process compiles for this pack meanwhile, on a CPU, where that was not done before and the pack takes at
    most half of a worker's `memory` in bytes. Whatever becomes of it, the workers compile what they do not find."""
    wanted = settings.compile == "on" or (settings.compile == "auto" and pack.compiled)
    process = None
    if wanted and settings.device == "cpu" and not settings.sources.modules and pack.bytes <= memory / 2:
        with suppress(OSError):  # a full disk, or no more processes
            process = None if was_compiled(f"step {shape_of(pack.specs)}") else _begun(pack, settings)
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def _begun(pack: PackPlan, settings: Settings) -> subprocess.Popen[bytes]:
    said = {
        "specs": [spec.to_json() for spec in pack.specs],
        "threads": settings.threads,
        "compile": settings.compile,
        "packs_alike": pack.packs_alike,
        "horizon": pack.horizon,
        "evaluations": len(settings.observe.evaluations(pack.horizon)),
        "examples": settings.observe.examples(pack.specs[0].batch_size),
    }
    with tempfile.TemporaryFile() as file:  # a pipe would be read in seconds only
        file.write(json.dumps(said).encode())
        file.seek(0)
        line, nowhere = [sys.executable, "-P", "-m", "study.train.ahead"], subprocess.DEVNULL
        return subprocess.Popen(line, stdin=file, stdout=nowhere, stderr=nowhere)


def main() -> None:
    """An evaluation and a step of the pack, of which nothing is kept but what was compiled."""
    import torch

    from trainables.pack import Pack
    from trainables.precision import computing

    said = json.load(sys.stdin)
    torch.set_num_threads(said["threads"])
    specs, device = [RunSpec.from_json(spec) for spec in said["specs"]], torch.device("cpu")
    steps, evaluations = said["packs_alike"] * said["horizon"], said["packs_alike"] * said["evaluations"]
    with computing(specs[0].precision, device):
        pack = Pack(specs, device, Compiling(said["compile"], steps, evaluations), said["examples"])
        pack.evaluate()
        pack.train(1)


if __name__ == "__main__":
    main()
