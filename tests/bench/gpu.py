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
SHARES = {
    "tests": 0.24,
    "limits": 0.14,
    "memory": 0.04,
    "numbers": 0.14,
    "batch order": 0.03,
    "engine": 0.18,
    "composition": 0.16,
    "study": 0.15,
}
"""Of the time; of the tests those that compile take most of theirs."""
FOR_STUDIES = ("ray", "duckdb", "pyarrow", "optuna", "click", "rich")


def parts(device: str, minutes: float) -> dict[str, tuple[float, list[str]]]:
    """Each part's seconds and its command line. A part prints lines of JSON, or what pytest prints."""
    cuda = device.startswith("cuda")
    seconds = {name: 60 * minutes * share / sum(SHARES.values()) for name, share in SHARES.items()}
    within = str(round(0.7 * seconds["engine"] / 60, 2))  # begins no further size after so many minutes
    quick = ["--seconds", "0.5"] if cuda else ["--seconds", "0.2", "--packs", "1,4"]
    steps = [] if cuda else ["--steps", "4", "--baseline-steps", "2"]
    of_bench = ["--device", device, "--json"]
    # Those alone: others import what is not there on every machine with a GPU. The quick ones first.
    with_tests = [path for path in ROOT.glob("tests/trainables/**/test_*.py") if "mark.cuda" in path.read_text()]
    tests = [str(path) for path in sorted(with_tests, key=lambda path: path.stat().st_size)]
    marked = ["-m", "cuda", "-q", "-p", "no:cacheprovider"]
    lines = {
        "tests": ["pytest", *tests, *marked],
        "limits": ["tests.bench.gpu_limits", "--device", device],
        "memory": ["tests.bench.gpu_memory", "--device", device],
        "numbers": ["tests.bench.gpu_numbers", "--device", device],
        "batch order": ["tests.bench.batch_order", *of_bench],
        "engine": ["tests.bench.engine", *of_bench, *quick, "--minutes", within],
        "composition": ["tests.bench.composition", *of_bench, *steps],
        "study": ["pytest", "tests/study/train/test_cuda.py", *marked],
    }
    return {name: (seconds[name], line) for name, line in lines.items()}


def main() -> None:
    options = arguments()
    try:
        resolve_device(options.device)
    except SpecError as error:
        sys.exit(f"tests/gpu: {error}")
    found: dict[str, Any] = {"device": about(options.device)}
    every = parts(options.device, options.minutes)
    missing = [name for name in FOR_STUDIES if find_spec(name) is None]
    for name in options.parts or every:
        seconds, words = every[name]
        if name == "study" and missing:
            found[name] = {"end": "left out", "says": f"{' and '.join(missing)} cannot be imported here"}
            print(f"{name:14}{'':10}  {found[name]['end']:10} {found[name]['says']}", flush=True)
            continue
        started = time.monotonic()
        found[name] = outcome(words, seconds * sum(SHARES.values()) / sum(SHARES[n] for n in options.parts or every))
        found[name]["seconds"] = round(time.monotonic() - started, 1)
        draft = options.out.with_suffix(".tmp")
        draft.write_text(json.dumps(found, indent=1) + "\n")
        draft.replace(options.out)
        print(f"{name:14}{found[name]['seconds']:8.1f} s  {found[name]['end']:10} {found[name]['says']}", flush=True)
    well = ("passed",) if options.parts else ("passed", "left out")
    sys.exit(any(found[name]["end"] not in well for name in options.parts or every))


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
    parser.add_argument("parts", nargs="*", choices=[*SHARES, []], metavar="PART")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
