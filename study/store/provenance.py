"""Where and with what a run was trained: host, device, versions, commit."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("grokking-study", "torch", "numpy", "ray", "optuna", "duckdb", "pyarrow", "safetensors")


def provenance(
    device: str, threads: int, trial_id: str | None = None, source_digest: str | None = None
) -> dict[str, Any]:
    """Where and with what an attempt runs: for `Recorder`, which writes it into every part. `source_digest` is of the
    parts that are not this package's; None where all are."""
    return {
        "trial_id": trial_id,
        "host": platform.node(),
        "device": device,
        "threads": threads,
        **({"source": source_digest} if source_digest else {}),
        "versions": versions(),
        **source(),
    }


@functools.cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


@functools.cache
def source() -> dict[str, Any]:
    """Commit of the checkout this code runs from, and whether files differ from it; None where there is no commit."""
    root = Path(__file__).resolve().parents[2]
    unknown = {"git_sha": None, "git_dirty": None}
    if not (root / ".git").exists():  # an installed copy may lie inside somebody else's checkout
        return unknown
    command = ["git", "-C", os.fspath(root), "status", "--porcelain=v2", "--branch"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return unknown
    head = next(line.split()[-1] for line in lines if line.startswith("# branch.oid"))
    if head == "(initial)":
        return unknown
    return {"git_sha": head, "git_dirty": any(not line.startswith("#") for line in lines)}
