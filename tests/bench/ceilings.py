"""The most that this machine can do, the least that a training step needs, and how benchmarks measure and print.

    python -m tests.bench.ceilings [--device cpu|cuda] [--threads N] [--json]

Prints the rates of matrix products and copies, which the other benchmarks divide by; needs only torch. Bandwidth counts
bytes read plus bytes written.
"""

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from trainables.limits import PRECISIONS
from trainables.timing import copy_rate, product_rate, synchronize

HEADS, NUM_TOKENS = 4, 3
"""Size of the transformer that the benchmarks train."""
OUT_OF_MEMORY = "out of memory"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=num_cores(), help="threads on a CPU; all cores by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    best = measured(torch.device(options.device))
    show([{"ceiling": name, "value": value} for name, value in best.items()], options.json)


def measured(device: torch.device) -> dict[str, float]:
    """Operations per second of square matrix products in each number format, and bytes per second of a copy.

    On a CPU this uses torch's current number of threads.
    """
    best = {}
    for precision in PRECISIONS if device.type == "cuda" else ("float32",):
        best[f"{precision} FLOP/s"] = product_rate(device, precision)
    best["copy bytes/s"] = copy_rate(device)
    return best


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def step_flops(width: int, batch: int, p: int) -> float:
    """Operations in the matrix products of one step of one run that is read at the last position.

    Per example these are keys and values at L positions, one query, attention of H heads with its output, two layers of
    an MLP four times as wide, and the output layer: (2L + 1 + 1 + 8) D^2 + 2 L D + D C multiplications and as many
    additions. The backward pass has two such products for each. Embedding lookups need none.
    """
    products = (2 * NUM_TOKENS + 10) * width**2 + 2 * NUM_TOKENS * width + width * p
    return 3 * 2 * products * batch


def step_bytes(width: int, batch: int, p: int) -> float:
    """Bytes that one step of one run moves in float32 if nothing is moved more often than needed.

    A weight is read in the forward and the backward pass, its gradient is written and read, and the weight and its two
    moments are read and written: 10 moves. A kept activation and its gradient are each written and read: 4 moves. Kept
    are the input, keys and values at L positions, and attention, its output, the hidden layer, the last state and the
    logits at the last position.
    """
    weights = (p + 1 + NUM_TOKENS + p) * width + 12 * width**2
    kept = (3 * NUM_TOKENS + 8) * width + NUM_TOKENS * HEADS + p
    return 4.0 * (10 * weights + 4 * batch * kept)


def attempted(measure: Callable[..., Any], *arguments: Any) -> Any:
    """What `measure(*arguments)` returns, or a word that says why it failed; its memory is free again afterwards."""
    try:
        result = measure(*arguments)
    except (RuntimeError, MemoryError) as error:
        result = OUT_OF_MEMORY if out_of_memory(error) else "failed"
        say(f"{result}: {(str(error).strip() or repr(error)).splitlines()[0]}")
    gc.collect()  # after the handler: the traceback held on to the tensors
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return result


def out_of_memory(error: BaseException | None) -> bool:
    """True if this error or an earlier one in its chain means out of memory: a failed graph capture raises another."""
    words = (OUT_OF_MEMORY, "can't allocate memory")
    while error is not None:
        if isinstance(error, MemoryError) or any(word in str(error).lower() for word in words):
            return True
        error = error.__context__
    return False


def has_compiler(device: torch.device) -> bool:
    """True if torch.compile works here."""
    try:
        torch.compile(lambda x: x.cos() + 1)(torch.ones(8, device=device))
    except Exception as error:
        say(f"torch.compile does not work here, so nothing is compiled ({type(error).__name__})")
        return False
    synchronize(device)
    return True


def tell(row: dict[str, Any], as_json: bool) -> None:
    """A row as soon as it is there, as a line of JSON: whoever stops the benchmark has it."""
    if as_json:
        print(json.dumps(row), flush=True)


def show(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Rows with the same keys, as a plain table or as JSON; None is a dash."""
    if as_json:
        print(json.dumps(list(rows), indent=1))
        return
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e7 else f"{value:.3g}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
