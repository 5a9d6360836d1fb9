"""Damage to a DuckDB file, as disks, copies that were cut short and other programs do it."""

from random import Random

HEADERS, BLOCK, PAGE = 3 * 4096, 256 * 1024, 4096
"""Bytes of the headers of a DuckDB file, of each block after them, and of what a disk writes at once."""
KINDS = ("cut", "zeros", "noise", "bits", "block", "header", "longer", "swapped pages")


def damaged(data: bytes, numbers: Random, kind: str | None = None) -> tuple[str, bytes]:
    """Another file than `data`, and in words how it differs; None = any kind of damage."""
    kind, result, pages = kind or numbers.choice(KINDS), bytearray(data), len(data) // PAGE
    place = numbers.randrange(pages) * PAGE
    if kind == "cut":
        place = numbers.choice([place, numbers.randrange(len(data)), len(data) - numbers.choice([1, 8, PAGE, BLOCK])])
        del result[place:]
    elif kind == "zeros":
        result[place : place + PAGE] = bytes(PAGE)
    elif kind == "noise":
        result[place : place + PAGE] = numbers.randbytes(PAGE)
    elif kind == "bits":
        place = numbers.randrange(len(data))
        result[place] ^= 1 << numbers.randrange(8)
    elif kind == "block":
        place = HEADERS + numbers.randrange((len(data) - HEADERS) // BLOCK) * BLOCK
        result[place : place + BLOCK] = bytes(BLOCK)
    elif kind == "header":
        place, count = numbers.randrange(HEADERS), numbers.choice([1, 8, 64])
        result[place : place + count] = numbers.randbytes(count)
    elif kind == "longer":
        result += numbers.randbytes(numbers.choice([1, PAGE, BLOCK]))
    else:
        other = numbers.randrange(pages) * PAGE
        first, second = data[place : place + PAGE], data[other : other + PAGE]
        result[place : place + PAGE], result[other : other + PAGE] = second, first
    return f"{kind} at {place} of {len(data)} bytes", bytes(result)
