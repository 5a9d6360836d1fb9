"""Bytes that a disk or a cable gives back other than they were written, and what a reader makes of them."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The bytes with one change: a bit, a byte, a block, or the end of the file."""
    changed = data
    while changed == data:
        begin, end = sorted(draw.sample(range(len(data) + 1), 2))
        size = min(draw.choice((1, 8, 64, 512, 4096)), len(data) // 2)
        first, second = sorted(draw.sample(range(len(data) - size + 1), 2))
        changed = draw.choice(
            [
                lambda: _with(data, begin, data[begin] ^ 1 << draw.randrange(8)),
                lambda: _with(data, begin, draw.randrange(256)),
                lambda: data[:begin],
                lambda: data[:begin] + bytes(len(data) - begin),
                lambda: data[:begin] + bytes(end - begin) + data[end:],
                lambda: data[:first] + data[second : second + size] + data[first + size :],
                lambda: data + bytes(size),
                lambda: data[:begin] + data[end:],
                lambda: data[:first] + data[first : first + size] + data[first:],
            ]
        )()
    return changed


def _with(data: bytes, place: int, byte: int) -> bytes:
    return data[:place] + bytes([byte]) + data[place + 1 :]


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
