"""The same runs in three ways on this machine: one Ray Tune trial per run, as one would usually write it; a script of
one's own with `torch.vmap` (tests.bench.vmap_script), which is nothing but the training; and as a study.

    python -m tests.bench.packing [--runs 128] [--steps 2000] [--baseline-runs N] [--warm] [--json]

The runs are one-layer transformers on addition modulo 97 with AdamW: 4 weight decays x 4 training fractions, then
seeds. Each way is a command of its own, timed from start to end of its process, so the start of Ray, compiling and
ingest are included. The compiler's cache is empty; `--warm` runs script and study once more with the cache of their
first time. All evaluate 512 examples of each split at the same steps. `--baseline-runs N` trains only N of the runs as
trials, for a rate that holds for all.

FLOP/s: the matrix products that training cannot do without (ceilings.step_flops) over the whole time; the peak is a
large product on all cores. Memory: the peak PSS (private pages and a share of the common ones) of all processes of the
command, with Ray's, sampled twice a second. `start`: seconds until the first worker has its pack; `compile`, `train`,
`evaluate`: of all workers, over their number. Fit (train accuracy above 0.99) and mean test accuracy are over the runs
that all ways train.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from tests.bench import ceilings
from tests.bench.engine import PlainTransformer
from trainables import timing
from trainables.schedule import evaluation_steps

Spent = tuple[float, float | None]
"""Seconds, and the peak memory in GB if it is known."""
Trained = tuple[dict[str, float], list[tuple[float, float]]]
"""Seconds by span, where they are known, and each run's last accuracies on train and test."""
P, EXAMPLES, LEARNING_RATE, SAMPLE_SECONDS = 97, 512, 3e-3, 0.5
MARK = "GROKKING_BENCH"
"""A variable in the environment of a command; the processes that it starts inherit it and are found by it."""
SPANS = """
    select
        (select sum(seconds) from timings where span in ('start', 'plan', 'ray', 'workers')) as start,
        sum(compile_seconds) / workers as compile,
        sum(wall_seconds - compile_seconds - evaluate_seconds - save_seconds) / workers as train,
        sum(evaluate_seconds) / workers as evaluate,
    from attempts, (select max(workers) as workers from timings) group by workers"""
AXES = {"optimizer.weight_decay": (0.0, 0.3, 1.0, 3.0), "task.train_fraction": (0.4, 0.5, 0.6, 0.7)}
STUDY = """
from study.spec import StudySpec
from trainables.spec import RunSpec

STUDY = StudySpec(question="How long does this take?", base=RunSpec.from_json({base}), axes={axes}, seeds={seeds},
                  horizon={steps}, evaluation_examples={examples})
"""


def main() -> None:
    options = arguments()
    if options.trials:
        return run_trials(options)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        scratch, peak = Path(folder), timing.product_rate(torch.device("cpu"), "float32")
        runs = write_study(scratch / "packing.py", options)[: options.runs]
        both = runs[: options.baseline_runs]
        (scratch / "runs.json").write_text(json.dumps([config for _, config in runs]))
        numbers = [f"--{name}={getattr(options, name)}" for name in ("steps", "width", "batch")]
        trials = ["tests.bench.packing", f"--trials={scratch}", f"--runs={len(both)}"]
        ways = {"Tune trials": (trials, len(both)), "script": (["tests.bench.vmap_script", str(scratch)], len(runs))}
        ways |= {"script, warm": ways["script"]} if options.warm else {}
        rows = []
        for name, (command, num_runs) in ways.items():
            spent = timed([*command, *numbers], scratch / "compiled" / name.partition(",")[0])
            trained = {}, json.loads((scratch / "final.json").read_text())[: len(both)]
            rows.append(row(options, name, num_runs, peak, spent, trained))
        for name in ("study", "study, warm") if options.warm else ("study",):
            store = scratch / name.replace(", ", "-")
            command = ["study", "run", str(scratch / "packing.py"), f"--store={store}", f"--runs={len(runs)}"]
            spent = timed([*command, "--address=local", "--device=cpu"], scratch / "compiled" / "study")
            trained = from_store(store, [run_id for run_id, _ in both])
            rows.append(row(options, name, len(runs), peak, spent, trained))
    if not options.json:
        print(f"{ceilings.num_cores()} cores, torch {torch.__version__}, {' '.join(numbers)}, peak {peak:.3g} FLOP/s")
    ceilings.show([{**line, "ratio": line["run-steps/s"] / rows[0]["run-steps/s"]} for line in rows], options.json)


def row(
    options: argparse.Namespace, name: str, num_runs: int, peak: float, spent: Spent, trained: Trained
) -> dict[str, Any]:
    """The table's line for one way."""
    (seconds, memory), (spans, accuracies) = spent, trained
    rate, num = num_runs * options.steps / seconds, len(accuracies)
    flops = rate * ceilings.step_flops(options.width, options.batch, P)
    line = {"way": name, "runs": num_runs, "seconds": seconds, "run-steps/s": rate, "peak memory GB": memory}
    line |= {span: spans.get(span) for span in ("start", "compile", "train", "evaluate")}
    line |= {"FLOP/s": flops, "of float32 peak": flops / peak}
    fit, right = sum(train > 0.99 for train, _ in accuracies), sum(test for _, test in accuracies)
    return line | {"fit": fit / num, "test accuracy": right / num}


def write_study(path: Path, options: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    """Write the study file; returns its runs in the order of its plan: id, and the values that differ between runs."""
    from study.plan.plan import planned_runs
    from study.spec import find

    model = {"name": "transformer", "width": options.width, "heads": ceilings.HEADS}
    optimizer = {"name": "adamw", "learning_rate": LEARNING_RATE}
    base = {"task": {"name": "modular", "p": P}, "model": model, "optimizer": optimizer, "batch_size": options.batch}
    numbers = {"seeds": -(-options.runs // 16), "steps": options.steps, "examples": EXAMPLES}
    path.write_text(STUDY.format(base=base, axes=AXES, **numbers))
    return [(run.run_id, {**run.point, "seed": run.spec.seed}) for run in planned_runs(find(str(path)))]


def from_store(store: Path, run_ids: list[str]) -> Trained:
    """Where the study's time went, and the last accuracies of these runs."""
    from study.store.database import Store

    opened = Store.open(store)
    [spans] = opened.sql(SPANS).df().to_dict("records")
    last = "arg_max(value, step) filter (where split = '{}')"
    text = f"""select {last.format("train")}, {last.format("test")} from metrics
        where metric = 'accuracy' and list_contains(?, run_id) group by run_id"""
    return spans, opened.sql(text, [run_ids]).fetchall()


def timed(command: list[str], compiled: Path) -> Spent:
    """Time and memory of `python -m ...` with all processes that it starts, which keep what they compile in the folder
    `compiled`; its output goes to stderr."""
    ceilings.say(" ".join(command))
    mark = f"{MARK}={time.monotonic_ns()}"
    environment = os.environ | {MARK: mark.partition("=")[2], "TORCHINDUCTOR_CACHE_DIR": str(compiled)}
    samples, ended = [0.0], threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            samples.append(memory_of(mark.encode()))

    threading.Thread(target=sample, daemon=True).start()
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", *command], env=environment, stdout=sys.stderr, check=True)
    ended.set()
    return time.perf_counter() - start, max(samples) / 1e9 or None


def memory_of(mark: bytes) -> float:
    """Total PSS in bytes of the processes with this mark in their environment; 0 on systems without /proc."""
    total = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                rollup = (process / "smaps_rollup").read_text().splitlines()
                total += 1024 * next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue  # the process has ended, or belongs to another user
    return total


def run_trials(options: argparse.Namespace) -> None:
    """The baseline: plain Ray Tune with its defaults, one CPU and one trial per run."""
    import ray
    from ray import tune

    folder, steps, width, batch = Path(options.trials), options.steps, options.width, options.batch

    def train(config: dict[str, Any]) -> None:
        run = config["run"]
        torch.set_num_threads(1)
        torch.manual_seed(run["seed"])
        pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
        inputs, targets = torch.cat([pairs, torch.full((len(pairs), 1), P)], dim=1), pairs.sum(1) % P
        shuffled, num_train = torch.randperm(len(pairs)), round(run["task.train_fraction"] * len(pairs))
        splits, model = {"train": shuffled[:num_train], "test": shuffled[num_train:]}, PlainTransformer(width, P)
        numbers = {"lr": LEARNING_RATE, "betas": (0.9, 0.98), "weight_decay": run["optimizer.weight_decay"]}
        optimizer = torch.optim.AdamW(model.parameters(), **numbers)
        epochs = (splits["train"][torch.randperm(num_train)] for _ in itertools.count())
        batches = (examples for order in epochs for examples in order.split(batch) if len(examples) == batch)
        step = 0
        for target in evaluation_steps(steps):
            for examples in itertools.islice(batches, target - step):
                optimizer.zero_grad()
                F.cross_entropy(model(inputs[examples]), targets[examples]).backward()
                optimizer.step()
            step, metrics = target, {"step": float(target)}
            for split, members in splits.items():
                with torch.no_grad():
                    logits, answers = model(inputs[members[:EXAMPLES]]), targets[members[:EXAMPLES]]
                metrics[f"{split}_loss"] = F.cross_entropy(logits, answers).item()
                metrics[f"{split}_accuracy"] = (logits.argmax(1) == answers).float().mean().item()
            tune.report(metrics)

    ray.init(address="local", log_to_driver=False)
    space = {"run": tune.grid_search(json.loads((folder / "runs.json").read_text())[: options.runs])}
    storage = tune.RunConfig(storage_path=str(folder / "tune"), verbose=0)
    last = [result.metrics or {} for result in tune.Tuner(train, param_space=space, run_config=storage).fit()]
    accuracies = [[metrics[f"{split}_accuracy"] for split in ("train", "test")] for metrics in last]
    (folder / "final.json").write_text(json.dumps(accuracies))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"runs": 128, "steps": 2000, "width": 32, "batch": 64, "baseline-runs": None}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--trials", metavar="DIR", help=argparse.SUPPRESS)  # internal: runs the baseline
    return parser.parse_args()


if __name__ == "__main__":
    main()
