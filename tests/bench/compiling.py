"""What compiling a training step and its evaluation takes, by system, and whether the numbers stay the same.

    python -m tests.bench.compiling [--runs 3] [--steps 200] [STUDY ...]

Each study's base run with several seeds is compiled in a process of its own on one core: as torch does by itself, each
kernel by a call of the C++ compiler (`separate`), then as we do, a graph by one call (`one call`), then again from the
cache (`cached`). Seconds are those of a core, of Python and of the compilers that it calls. What every compiler needs
once on a machine (which instructions there are, headers) comes before. `differs` is the largest difference of a loss
between both ways after so many steps.
"""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib import import_module

import torch

from trainables.compiler import Compiling
from trainables.pack import Pack
from trainables.spec import RunSpec

STUDIES = ("circuits_competition", "first_map", "label_corruption", "sparse_parity", "omnigrok", "emergence",
           "coverage", "in_context_regression", "pathways", "small_composition_layers")  # fmt: skip
"""Of every kind of model and of most kinds of tasks."""
WARM_UP = "effective_theory"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", default=STUDIES, metavar="STUDY")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--steps", type=int, default=200, metavar="N")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return print(json.dumps(measured(options.studies[0], options.runs, options.steps)))
    print(f"{'':26} {'separate':>9} {'one call':>9} {'cached':>7}   differs")
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:
        for study in (WARM_UP, *options.studies):
            found = [asked(study, options, cache, separate) for separate in (True, False, False)]
            (separate, before), (one_call, after), (cached, _) = found
            differs = max(abs(before[name] - after[name]) for name in before)
            if study != WARM_UP:
                print(f"{study:26} {separate:7.1f} s {one_call:7.1f} s {cached:5.1f} s   {differs:.1e}", flush=True)


def asked(study: str, options: argparse.Namespace, cache: str, separate: bool) -> tuple[float, dict[str, float]]:
    """What `measured` gives in a process of its own."""
    line = [sys.executable, "-m", "tests.bench.compiling", study, "--one"]
    line += ["--runs", str(options.runs), "--steps", str(options.steps)]
    given = {"TORCHINDUCTOR_CACHE_DIR": cache, "TORCHINDUCTOR_COMPILE_THREADS": "1", "OMP_NUM_THREADS": "1"}
    given |= {"SEPARATE": "1"} if separate else {}
    done = subprocess.run(line, env=os.environ | given, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def measured(study: str, runs: int, steps: int) -> tuple[float, dict[str, float]]:
    """Seconds of a core until a pack of so many runs has made its first step and evaluation beyond what a second one
    takes, and its losses after `steps`."""
    torch.set_num_threads(1)
    if os.environ.get("SEPARATE"):
        real = torch.compile
        torch.compile = lambda function, **given: real(function, dynamic=given["dynamic"])  # pyright: ignore
    base: RunSpec = import_module(f"study.catalog.{study}").STUDY.base
    specs = [dataclasses.replace(base, seed=seed) for seed in range(runs)]
    pack = Pack(specs, torch.device("cpu"), Compiling("on"), evaluation_examples=256)
    first, again = spent(pack), spent(pack)
    pack.train(max(0, steps - 2))
    values = {f"{split} {i}": value for (split, name), values in pack.evaluate().items() if name == "loss"
              for i, value in enumerate(values.tolist())}  # fmt: skip
    return first - again, values


def spent(pack: Pack) -> float:
    """Seconds of a core that a step and an evaluation take, with the processes that they start."""
    before = cpu_seconds()
    pack.train(1)
    pack.evaluate()
    return cpu_seconds() - before


def cpu_seconds() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


if __name__ == "__main__":
    main()
