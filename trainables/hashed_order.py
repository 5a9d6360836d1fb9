"""The order of examples in minibatch training, computed on the device itself in place of drawn on the host.

As in batches.py each run walks through another permutation of its examples every epoch, and the permutation follows
from its order seed and the epoch alone. Here it is computed place by place, without memory of the rest: a Feistel
network over pairs of digits, whose round function is a hash of run and epoch (Black & Rogaway 2002, "Ciphers with
arbitrary finite domains", their generalized Feistel cipher with cycle walking). Integers alone are used, so the order
is the same on every device.
"""

# R runs, S steps, B batch

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from trainables.cuda_graph import side_stream
from trainables.dropout import scramble_int32
from trainables.seeds import key

ROUNDS = 12
"""An even number. With 6 a few examples are at some places a tenth more often than at others, with 8 a twentieth; with
10 a chi-square test of 20,000 epochs does not tell (five examples, the worst case)."""
AT_ONCE = 1 << 22
"""Places computed together: bounds the memory of what is in between, 16 MB each."""
GOLDEN = 0x9E3779B9 - 2**32


class HashedOrder:
    """Batches of R runs, with the method of `BatchOrder`."""

    def __init__(
        self, order_seeds: Sequence[int], counts: Sequence[int], batch_size: int, device: torch.device
    ) -> None:
        keys = [key("hashed order", seed) for seed in order_seeds]
        sides = [math.isqrt(count - 1) + 1 for count in counts]  # each count fits into a rectangle
        columns = [(k & 0x7FFFFFFF, k >> 32, n, a, -(-n // a)) for k, n, a in zip(keys, counts, sides, strict=True)]
        self.runs_5R = torch.tensor(columns, dtype=torch.int32, device=device).T.contiguous()
        self.batch_size, self.device = batch_size, device
        self.stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self.stream, self.begun = side_stream(device), torch.cuda.Event()
            self.stream.wait_stream(torch.cuda.current_stream(device))

    def block(self, first_step: int, num_steps: int) -> Tensor:
        """Example numbers for `num_steps` steps of every run, int64 (S, R, B), on the device."""
        if self.stream is None:
            return self._steps(first_step, num_steps)
        # Beside the steps that train: the host looks whether it is done, and would wait for all of them. It waits for
        # those of the block before the last one, so that no more than two blocks are waited for in memory.
        training, before = torch.cuda.current_stream(self.device), self.begun
        self.begun = torch.cuda.Event()
        self.begun.record(training)
        before.synchronize()
        with torch.cuda.stream(self.stream):
            found_SRB = self._steps(first_step, num_steps)
        training.wait_stream(self.stream)
        found_SRB.record_stream(training)
        return found_SRB

    def _steps(self, first_step: int, num_steps: int) -> Tensor:
        steps = max(1, AT_ONCE // (self.runs_5R.shape[1] * self.batch_size))
        ends = [*range(first_step, first_step + num_steps, steps), first_step + num_steps]
        parts = [self._block(a, b) for a, b in pairwise(ends)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _block(self, start: int, end: int) -> Tensor:
        place_SRB = torch.arange(start * self.batch_size, end * self.batch_size, device=self.device)
        place_SRB = place_SRB.view(end - start, 1, self.batch_size)
        low, high, count, rows, columns = (of_run_R[:, None] for of_run_R in self.runs_5R)
        epoch, place = (place_SRB // count).int(), (place_SRB % count).int()
        epoch_key = scramble_int32(low ^ scramble_int32(high + epoch * GOLDEN))
        found = _permuted(place, epoch_key, rows, columns)
        while (outside := found >= count).any():  # of the rectangle and not of the examples: on to the next place
            found = torch.where(outside, _permuted(found, epoch_key, rows, columns), found)
        return found.long()


def _permuted(place: Tensor, epoch_key: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The place in the rectangle that takes this one's, int32; each is taken once."""
    row, column = place // columns, place % columns
    for i in range(0, ROUNDS, 2):
        row = (row + _hash(column, epoch_key, i)) % rows
        column = (column + _hash(row, epoch_key, i + 1)) % columns
    return row * columns + column


def _hash(value: Tensor, epoch_key: Tensor, number: int) -> Tensor:
    """Thirty bits, so that a sum with them does not wrap."""
    return scramble_int32(value ^ (epoch_key + number * GOLDEN)) & 0x3FFFFFFF
