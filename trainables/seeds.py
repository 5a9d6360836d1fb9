"""Independent random streams of one run: initial weights, split, labels and order do not share numbers."""

import hashlib

import torch


def key(stream: str, seed: int) -> int:
    """A 63-bit key for the named stream of a seed; equal on every machine and Python."""
    digest = hashlib.blake2b(f"{stream}:{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(stream: str, seed: int) -> torch.Generator:
    """A CPU generator for the named stream, so that a run draws the same numbers on every device."""
    return torch.Generator().manual_seed(key(stream, seed))
