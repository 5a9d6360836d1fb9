"""Where does the time of one training step of a small two-hop model go on a CPU core, and how far is it from the limit?

    python -m tests.bench.composition_step [--width 64 128] [--runs 8 2] [--steps 40]

The runs are those of `small_composition_ratio` at this width, packed and compiled as in `train_pack`. The time of each
kernel of the compiled step comes from torch's profiler. `limit` is the time that the products alone would take at the
rate of the largest product of the step, measured here, and `eager` the whole step without a compiler. `evaluation` is
one evaluation of all splits, spread over the steps between two of them. Seconds of compiling are with an empty cache
only where TORCHINDUCTOR_CACHE_DIR names an empty folder.
"""

import argparse
import time
from collections import defaultdict
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from study.catalog.small_composition_ratio import STUDY
from trainables.compiler import Compiling
from trainables.flops import STEP
from trainables.pack import Pack
from trainables.size import size_of

PARTS = {
    "products": ("bmm", "::mm", "addmm"),
    "optimizer": ("lerp",),
    "attention": ("softmax",),
    "GELU": ("gelu", "sigmoid"),
    "norms": ("rsqrt", "mean"),
}
"""What names of kernels hold, in this order; all else is `other`: embeddings, loss, sums of gradients of biases."""


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    # The names of the kernels are only kept with this, which has to be set before the step is compiled.
    torch._inductor.config.cpp.enable_kernel_profile = True  # pyright: ignore
    for width, runs in zip(options.width, options.runs, strict=True):
        print(f"width {width}, {runs} runs", flush=True)
        for name, value in measured(width, runs, options.steps).items():
            print(f"  {name:24} {value:8.2f}", flush=True)


def measured(width: int, runs: int, steps: int) -> dict[str, float]:
    """Milliseconds of one step of all runs and of its parts."""
    base = STUDY.base.with_values({"model.width": width})
    specs = [base.with_values({"seed": seed, "data_seed": seed}) for seed in range(runs)]
    pack, compiling = warm(specs, "on")
    whole = best(pack, steps)
    with profile(activities=[ProfilerActivity.CPU]) as found:
        pack.train(steps)
    parts: dict[str, float] = defaultdict(float)
    for event in found.key_averages():
        if event.key.startswith(("graph_", "aten::bmm", "aten::mm", "aten::addmm")):
            kind = next((part for part, words in PARTS.items() if any(word in event.key for word in words)), "other")
            parts[kind] += event.self_cpu_time_total / 1e3 / steps
    started = time.perf_counter()
    pack.evaluate()
    first = time.perf_counter() - started
    evaluation = min(timed(pack.evaluate) for _ in range(3))
    flops = STEP * size_of(base.model, base.task).products * (base.batch_size or 0) * runs
    number = len(STUDY.observation.evaluations(STUDY.horizon))
    eager, _ = warm(specs, "off")
    return {
        "step, ms": whole,
        **{f"{kind}, ms": parts[kind] for kind in (*PARTS, "other")},
        "limit, ms": 1e3 * flops / product_rate(base, width),
        "evaluation, ms": 1e3 * evaluation,
        "evaluation per step, ms": 1e3 * evaluation * number / STUDY.horizon,
        "eager step, ms": best(eager, steps),
        "compiling the step, s": compiling,
        "compiling evaluation, s": first,
        "run-steps per second": 1e3 * runs / whole,
    }


def warm(specs: Any, choice: str) -> tuple[Pack, float]:
    """A pack that has trained a few steps, and the seconds of the first."""
    pack = Pack(specs, torch.device("cpu"), Compiling(choice), STUDY.evaluation_examples)
    first = timed(lambda: pack.train(1))
    pack.train(8)
    return pack, first


def best(pack: Pack, steps: int) -> float:
    """Milliseconds of a step: the fastest of several windows, because other programs disturb the others."""
    return 1e3 * min(timed(lambda: pack.train(steps // 4)) for _ in range(12)) / (steps // 4)


def timed(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def product_rate(spec: Any, width: int) -> float:
    """Operations per second of the largest product of a step."""
    rows = spec.batch_size * spec.task.num_tokens
    a, b = torch.randn(rows, width), torch.randn(width, 4 * width)
    return 2 * rows * 4 * width**2 / min(timed(lambda: a @ b) for _ in range(200))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, nargs="+", default=[64, 128], metavar="N")
    parser.add_argument("--runs", type=int, nargs="+", default=[8, 2], metavar="N")
    parser.add_argument("--steps", type=int, default=40, metavar="N")
    return parser.parse_args()


if __name__ == "__main__":
    main()
