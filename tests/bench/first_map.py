"""The README's first study from an empty store: seconds from the return key to the end, and where they go.

    python -m tests.bench.first_map [--study first_map] [--times 2]

Each time once with nothing compiled before (`cold`), once with all of it (`warm`). The spans are those of `study run
--timings`; those of packs are in seconds of one worker. `rest` is what the process takes beside its spans.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from study.train.timings import OF_PACKS, SPANS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="first_map", metavar="NAME")
    parser.add_argument("--times", type=int, default=2, metavar="N")
    options = parser.parse_args()
    names = ["all", *SPANS, "rest", *OF_PACKS]
    print(" " * 6, *(f"{name:>8}" for name in names))
    for _ in range(options.times):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for name in ("cold", "warm"):
                spent = timed(options.study, Path(folder), name)
                print(f"{name:6}", *(f"{spent[span]:8.1f}" for span in names), flush=True)


def timed(study: str, folder: Path, name: str) -> dict[str, float]:
    """Seconds of a whole `study run`, and by span."""
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(folder / "compiled"), "TMPDIR": str(folder)}
    line = [sys.executable, "-m", "study", "run", study, "--store", str(folder / name), "--timings", "--json"]
    start = time.perf_counter()
    done = subprocess.run(line, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    whole, said = time.perf_counter() - start, json.loads(done.stdout)["timings"]
    in_packs = {span: seconds / said["workers"] for span, seconds in said["in_packs"].items()}
    return {"all": whole, **said["spans"], "rest": whole - sum(said["spans"].values()), **in_packs}


if __name__ == "__main__":
    main()
