"""Bytes that a disk or a cable gives back other than they were written, and what a reader makes of them."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = ("bit", "byte", "torn", "zero end", "zero block", "other block", "longer", "lost block", "double block")


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The bytes with one change."""
    changed = data
    while changed == data:
        changed = _changed(data, draw)
    return changed


def _changed(data: bytes, draw: random.Random) -> bytes:
    size = min(draw.choice((1, 8, 64, 512, 4096)), len(data) // 2)
    begin, other = draw.sample(range(len(data) - size), 2)
    before, block, after = data[:begin], data[begin : begin + size], data[begin + size :]
    match draw.choice(CHANGES):
        case "bit":
            return before + bytes([data[begin] ^ 1 << draw.randrange(8)]) + data[begin + 1 :]
        case "byte":
            return before + bytes([draw.randrange(256)]) + data[begin + 1 :]
        case "torn":
            return before
        case "zero end":
            return before + bytes(len(data) - begin)
        case "zero block":
            return before + bytes(size) + after
        case "other block":
            return before + data[other : other + size] + after
        case "longer":
            return data + bytes(size)
        case "lost block":
            return before + after
        case _:
            return before + block + block + after


def outcomes(path: Path, read: Callable[[Path], Any], tries: int, seed: int = 0) -> Counter[str]:
    """How often a reader that gets the file with another change each time is right: `refused` where it raises,
    `identical` where it gives what the whole file holds, `silent` where it gives anything else."""
    draw, whole, expected, found = random.Random(seed), path.read_bytes(), read(path), Counter[str]()
    for _ in range(tries):
        path.write_bytes(damaged(whole, draw))
        try:
            found["identical" if read(path) == expected else "silent"] += 1
        except (OSError, ValueError):
            found["refused"] += 1
    path.write_bytes(whole)
    return found
