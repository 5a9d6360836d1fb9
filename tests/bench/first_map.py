"""The README's first study from an empty store: seconds from the return key to the end, and where they go.

    python -m tests.bench.first_map [--study first_map] [--times 2]

Each time once with nothing compiled before (`cold`), once with all of it (`warm`). `begins` is until the first worker
has its pack, `trains` from there until the last pack is in, compiling and evaluation included, `ends` the rest.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from study.store.database import Store

SPANS = "select min(started_at), max(ended_at) from attempts"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="first_map", metavar="NAME")
    parser.add_argument("--times", type=int, default=2, metavar="N")
    options = parser.parse_args()
    print(f"{'':6} {'all':>7} {'begins':>8} {'trains':>8} {'ends':>6}")
    for _ in range(options.times):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for name in ("cold", "warm"):
                whole, *spans = timed(options.study, Path(folder), name)
                print(f"{name:6} {whole:5.1f} s", *(f"{seconds:6.1f} s" for seconds in spans), flush=True)


def timed(study: str, folder: Path, name: str) -> tuple[float, float, float, float]:
    """Seconds of a whole `study run`, and of its three spans."""
    store = folder / name
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(folder / "compiled"), "TMPDIR": str(folder)}
    line = [sys.executable, "-m", "study", "run", study, "--store", str(store)]
    began, start = datetime.now(UTC).replace(tzinfo=None), time.perf_counter()
    subprocess.run(line, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    whole = time.perf_counter() - start
    [(first, last)] = Store.open(store).sql(SPANS).fetchall()
    begins, trains = (first - began).total_seconds(), (last - first).total_seconds()
    return whole, begins, trains, whole - begins - trains


if __name__ == "__main__":
    main()
