"""How many runs per hour of each system in the field does this machine train: in packs like a study, and one by one?

    python -m tests.bench.field [ROW ...] [--seconds 3] [--compile off|auto] [--json]

A system is a file of analysis/claims; its study is the first that its claims name, with the packs that `study run`
would make for this machine's CPU cores. Each shape of pack trains for `--seconds` on one core, once as a pack and once
as its first run alone, without evaluations and without compile time. The rates of all shapes are weighted by their runs
and multiplied by the number of cores. `ratio` is the packed rate over the rate alone, measured one after the other. `of
peak`: the products of matrices that training cannot do without (trainables/flops.py), in a second of the packed rate,
over those of a large product on one core.
"""

import argparse
import time
from typing import Any

import torch

from analysis.claim_check import all_claims
from study.plan.packing import PackPlan
from study.plan.plan import plan_runs, planned_runs
from study.spec import find
from study.train.machine import machine
from tests.bench import ceilings
from trainables.compiler import Compiling
from trainables.flops import run_flops
from trainables.pack import Pack
from trainables.spec import RunSpec
from trainables.timing import product_rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S")
    parser.add_argument("--compile", choices=["off", "auto"], default="off")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    studies = {row: claim.studies[0] for row, claim in reversed(list(all_claims()))}
    peak = product_rate(torch.device("cpu"), "float32")
    rows = [
        measured(row, study, options.seconds, options.compile, peak)
        for row, study in sorted(studies.items())
        if not options.rows or row in options.rows
    ]
    ceilings.show(rows, options.json)


def measured(row: str, study: str, seconds: float, compile: str, peak: float) -> dict[str, Any]:
    """The table's line for one study: runs per hour, packed and alone. `peak`: operations per second of a large product
    on one core."""
    spec, target = find(study), machine("cpu")
    plan = plan_runs(spec, planned_runs(spec), None, target)
    shapes: dict[str, list[PackPlan]] = {}
    for pack in plan.packs:
        shapes.setdefault(pack.specs[0].pack_key, []).append(pack)
    packed, alone, flops = 0.0, 0.0, 0.0
    for packs in shapes.values():
        ceilings.say(f"{study}: {len(packs)} packs of {len(packs[0].specs)} runs")
        steps = spec.horizon * sum(len(pack.specs) for pack in packs)
        packed += steps / rate(packs[0].specs, spec.horizon, seconds, compile)
        alone += steps / rate(packs[0].specs[:1], spec.horizon, seconds, compile)
        flops += sum(run_flops(run, spec.horizon) for pack in packs for run in pack.specs)
    per_hour = 3600 * target.workers * len(plan.runs)
    line = {"row": row, "study": study, "runs": len(plan.runs), "shapes": len(shapes)}
    line |= {"runs/hour": per_hour / packed, "alone": per_hour / alone, "ratio": alone / packed}
    return line | {"of peak": flops / packed / peak, "study minutes": packed / target.workers / 60}


def rate(specs: list[RunSpec], horizon: int, seconds: float, compile: str) -> float:
    """Run-steps per second of these runs in one pack on one core."""
    pack = Pack(specs, torch.device("cpu"), Compiling(compile, horizon))
    pack.train(2)
    started, before = time.perf_counter(), pack.step
    while time.perf_counter() - started < seconds:
        pack.train(8)
    return len(specs) * (pack.step - before) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
