"""Do runs learn the same on a device as on the CPU? Every model, optimizer and precision, and how often runs grok.

    python -m tests.bench.gpu_numbers [--device cuda] [--steps 200] [--seeds 64]

For each model with each optimizer a pack of four runs is trained on both, and the largest relative difference of a
training loss is shown for the first steps and for all: floats are added in another order, and training amplifies that.
In tf32 and bfloat16 the device is compared with its own float32. Rates over seeds must agree within four standard
errors.
"""

import argparse
import dataclasses
import json
import math
import sys
from typing import Any

from tests.support.runs import trained
from trainables.components import modules_of
from trainables.device import resolve_device
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

FIRST_STEPS, LIMIT = 10, 2e-3
"""Up to so many steps losses differ by no more than this."""
LIMITS = {"float32": LIMIT, "tf32": 0.02, "bfloat16": 0.05}
SMALL = {"width": 32, "heads": 4, "layers": 2, "dropout": 0.0}
HORIZON, GROKS = 2000, 0.9
"""Test accuracy from which a run counts as one that groks, at this step."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=200, metavar="N")
    parser.add_argument("--seeds", type=int, default=64, metavar="N")
    options = parser.parse_args()
    device = str(resolve_device(options.device))
    rows = []
    for spec in specs():
        rows.append(compared(spec, device, options.steps))
        print(json.dumps(rows[-1]), flush=True)
    rates = {name: rate(name, options.seeds) for name in ("cpu", device)}
    error = math.sqrt(sum(p * (1 - p) / options.seeds for p in rates.values()))
    wrong = [row for row in rows if not row["first"] <= row["limit"]]
    apart = abs(rates["cpu"] - rates[device])
    says = (
        f"{len(rows) - len(wrong)} of {len(rows)} agree; of {options.seeds} seeds {rates['cpu']:.0%} grok on the CPU, "
        f"{rates[device]:.0%} on {device}"
    )
    print(json.dumps({"says": says, "rates": rates}))
    sys.exit(bool(wrong) or apart > 4 * error + 0.01)


def specs() -> list[RunSpec]:
    """One run of each kind; those of lower precision last."""
    task = modular.Task(p=23, train_fraction=0.7)
    found = []
    for model in modules_of("trainables.models"):
        for optimizer in modules_of("trainables.optimizers"):
            fields = {field.name for field in dataclasses.fields(model.Model)}
            small = {name: value for name, value in SMALL.items() if name in fields}
            found.append(
                RunSpec(
                    task=task,
                    model=model.Model(**small),
                    optimizer=optimizer.Optimizer(learning_rate=1e-3),
                    batch_size=64,
                    batch_order="hashed",
                )
            )
    lower = [(spec, precision) for precision in ("tf32", "bfloat16") for spec in found]
    return found + [
        spec.with_values({"precision": precision}) for spec, precision in lower if spec.value("optimizer") == "adamw"
    ]


def compared(spec: RunSpec, device: str, steps: int) -> dict[str, Any]:
    """How far losses are apart."""
    lower = spec.precision != "float32"
    other = losses(spec.with_values({"precision": "float32"}), device, steps) if lower else losses(spec, "cpu", steps)
    found = losses(spec, device, steps)
    apart = {key: difference(found.get(key), other.get(key)) for key in found.keys() | other.keys()}
    return {
        "model": spec.value("model"),
        "optimizer": spec.value("optimizer"),
        "precision": spec.precision,
        "first": max(value for (_, step), value in apart.items() if step <= FIRST_STEPS),
        "all": max(apart.values()),
        "limit": LIMITS[spec.precision],
    }


def difference(one: float | None, other: float | None) -> float:
    """Relative; infinite where one is no number, or is not there because its run has left."""
    if one is None or other is None or not (math.isfinite(one) and math.isfinite(other)):
        return math.inf
    return abs(one - other) / max(abs(other), 1e-6)


def losses(spec: RunSpec, device: str, steps: int) -> dict[tuple[str, int], float]:
    """Training losses of four seeds by run and step."""
    runs = [spec.with_values({"seed": seed}) for seed in range(4)]
    record = trained(runs, steps, device=device, compile="auto")
    found = {run.seed: record.series(run.run_id, "train", "loss") for run in runs}
    return {(f"seed {seed}", step): value for seed, series in found.items() for step, value in series.items()}


def rate(device: str, seeds: int) -> float:
    """The share of seeds whose test accuracy is high in the end."""
    base = RunSpec(
        task=modular.Task(p=23, train_fraction=0.6),
        model=mlp.Model(width=48),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=1.0),
        loss="mse",
    )
    runs = [base.with_values({"seed": seed, "data_seed": seed}) for seed in range(seeds)]
    record = trained(runs, HORIZON, device=device, compile="auto", per_decade=1)
    last = [list(record.series(run.run_id, "test", "accuracy").values())[-1] for run in runs]
    return sum(value >= GROKS for value in last) / seeds


if __name__ == "__main__":
    main()
