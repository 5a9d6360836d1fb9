"""What many small parts cost, and what they cost in archives.

    python -m tests.bench.compaction [--parts 10000] [--bucket]

Parts of 40 rows are written and brought in, then put into archives. Before and after: files, bytes that they take on
the disk, seconds of an ingest that finds nothing new, and of one that makes the database anew. `--bucket` does so in a
bucket of a server on this machine (moto), and counts requests in place of bytes.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from study.store.database import Store
from study.store.storage import storage_at
from tests.support.parts import write_parts
from tests.support.s3 import S3, serving

ROWS = 40


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if not options.bucket:
            measure(Path(folder), options.parts)
            return
        with serving() as s3, pytest.MonkeyPatch.context() as patch:
            for name, value in s3.env.items():
                patch.setenv(name, value)
            measure(Path(folder), options.parts, s3)


def measure(folder: Path, parts: int, s3: S3 | None = None) -> None:
    store = Store.open(folder / "store", write=True, storage=s3.new_url() if s3 else None)
    print(f"{'':24}{'seconds':>9}{'files':>9}{'requests' if s3 else 'MB on disk':>12}")

    def show(what: str, work: Callable[[], object]) -> None:
        if s3:
            s3.requests.clear()
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        cost = f"{len(s3.requests):,}" if s3 else f"{blocks(store.path / 'parts'):.1f}"
        files = sum(1 for _ in storage_at(store.place).names("parts"))
        print(f"{what:24}{seconds:9.2f}{files:9,}{cost:>12}", flush=True)

    show("writing", lambda: write_parts(store.place, parts, ROWS))
    show("bringing in", store.ingest)
    for state in ("loose", "archives"):
        show(f"nothing new, {state}", store.ingest)
        show(f"made anew, {state}", lambda: store.ingest(rebuild=True))
        if state == "loose":
            show("putting into archives", lambda: store.compact(lambda: None))
            show("reading archives once", store.ingest)


def blocks(folder: Path) -> float:
    """Megabytes that files and folders take on the disk, in whole blocks."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*")) / 1e6


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=10_000, metavar="N")
    parser.add_argument("--bucket", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
