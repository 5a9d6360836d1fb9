"""All that wants a GPU: the tests marked `cuda`, numbers beside the CPU's, memory that is given back, speed.

    ./tests/gpu [--device cuda] [--minutes 9] [--out gpu.json] [PART ...]

Each part is a process of its own and has a share of the time. What a part has found is written down before the next
one begins, and of a part that is stopped all rows that it had, so that nothing is lost. The part `study` needs Ray and
DuckDB. `--device cpu` tries the command itself.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from trainables.device import cpu_name, resolve_device
from trainables.errors import SpecError

ROOT = Path(__file__).parents[2]
FOR_STUDIES = ("ray", "duckdb", "pyarrow", "optuna", "click", "rich")


def parts(device: str) -> dict[str, tuple[float, list[str]]]:
    """Each part's share of the time and its command line. A part prints JSON in the end, or what pytest prints."""
    quick = [] if device.startswith("cuda") else ["--seconds", "0.2", "--minutes", "0.3", "--packs", "1,4"]
    steps = [] if device.startswith("cuda") else ["--steps", "4", "--baseline-steps", "2"]
    of_bench = ["--device", device, "--json"]
    # Those alone: others import what is not there on every machine with a GPU.
    with_tests = sorted(path for path in ROOT.glob("tests/trainables/**/test_*.py") if "mark.cuda" in path.read_text())
    return {
        "tests": (0.15, ["pytest", *map(str, with_tests), "-m", "cuda", "-q", "-p", "no:cacheprovider"]),
        "limits": (0.2, ["tests.bench.gpu_limits", "--device", device]),
        "memory": (0.06, ["tests.bench.gpu_memory", "--device", device]),
        "numbers": (0.15, ["tests.bench.gpu_numbers", "--device", device]),
        "batch order": (0.05, ["tests.bench.batch_order", *of_bench]),
        "engine": (0.3, ["tests.bench.engine", *of_bench, *(quick or ["--minutes", "1.8"])]),
        "composition": (0.25, ["tests.bench.composition", *of_bench, *steps]),
        "study": (0.2, ["pytest", "tests/study/train/test_cuda.py", "-m", "cuda", "-q", "-p", "no:cacheprovider"]),
    }


def main() -> None:
    options = arguments()
    try:
        resolve_device(options.device)
    except SpecError as error:
        sys.exit(f"tests/gpu: {error}")
    found: dict[str, Any] = {"device": about(options.device)}
    chosen = {name: part for name, part in parts(options.device).items() if name in (options.parts or [name])}
    if (missing := [name for name in FOR_STUDIES if find_spec(name) is None]) and chosen.pop("study", None):
        print(f"study: left out, {' and '.join(missing)} cannot be imported here", flush=True)
    for name, (share, words) in chosen.items():
        started = time.monotonic()
        found[name] = outcome(words, 60 * options.minutes * share / sum(share for share, _ in chosen.values()))
        found[name]["seconds"] = round(time.monotonic() - started, 1)
        draft = options.out.with_suffix(".tmp")
        draft.write_text(json.dumps(found, indent=1) + "\n")
        draft.replace(options.out)
        print(f"{name:14}{found[name]['seconds']:8.1f} s  {found[name]['end']:10} {found[name]['says']}", flush=True)
    sys.exit(any(found[name]["end"] != "passed" for name in chosen))


def outcome(words: list[str], seconds: float) -> dict[str, Any]:
    """How a part ends: `passed`, `failed` or `stopped`; what it says in a line, and its JSON if it has some."""
    line = [sys.executable, "-m", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, cwd=ROOT, start_new_session=True, **pipes) as process:
        try:
            said, errors = process.communicate(timeout=seconds)
            end = "passed" if process.returncode == 0 else "failed"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # and those that compile or load for it
            said, errors = process.communicate()
            end = "stopped"
    data = rows_in(said)
    lines = (errors.strip() or said if end == "failed" else said).strip().splitlines() or ["nothing"]
    says = str(data[-1].get("says", f"{len(data)} rows")) if data else lines[-1]
    kept = {} if end == "passed" else {"output": said[-4000:], "errors": errors[-4000:]}
    return {"end": end, "says": says[:200], "data": data, **kept}


def rows_in(said: str) -> list[dict[str, Any]]:
    """The lines of JSON that a part has printed; the last one may be cut short."""
    rows = []
    for line in said.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        rows += [row] if isinstance(row, dict) else []
    return rows


def about(device: str) -> dict[str, Any]:
    """What these numbers are of."""
    kind = resolve_device(device)
    name = cpu_name()
    if kind.type == "cuda":  # a process of its own asks: a context here would take memory from the parts
        ask = "import torch; print(torch.cuda.get_device_name())"
        name = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    return {"name": name, "torch": torch.__version__, "cuda": torch.version.cuda, "when": time.strftime("%Y-%m-%d")}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*parts("cuda"), []], metavar="PART")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
