"""The order of examples in minibatch training: each run walks through a fresh permutation of its examples every epoch.

A run's stream is permutation after permutation, cut into batches, so a batch may straddle two epochs and every example
is used equally often. The permutation of an epoch follows from the run's order seed and the epoch alone: nothing to
save in a checkpoint, and a run draws the same batches alone, in any pack and on every device.
"""

# R runs, S steps, B batch

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.seeds import generator

CPU = torch.device("cpu")


class BatchOrder:
    """Batches of R runs; drawn for blocks of steps, because one generator call per step and run would cost more than it
    trains."""

    def __init__(
        self, order_seeds: Sequence[int], counts: Sequence[int], batch_size: int, device: torch.device = CPU
    ) -> None:
        self.runs = list(zip(order_seeds, counts, strict=True))
        self.batch_size, self.device = batch_size, device
        self.latest: dict[int, tuple[int, Tensor]] = {}  # run -> its newest epoch and permutation: blocks share one

    def block(self, first_step: int, num_steps: int) -> Tensor:
        """Example numbers for `num_steps` steps of every run, int64 (S, R, B), on the device."""
        start, stop = first_step * self.batch_size, (first_step + num_steps) * self.batch_size
        streams = []
        for run, (_, count) in enumerate(self.runs):
            epochs = range(start // count, (stop - 1) // count + 1)
            pieces = (self._permutation(run, e)[max(start - e * count, 0) : stop - e * count] for e in epochs)
            streams.append(torch.cat(list(pieces)))
        block = torch.stack(streams).view(len(self.runs), num_steps, self.batch_size).transpose(0, 1).contiguous()
        # From pinned memory the copy waits for nobody: the device has the steps of the last block to do meanwhile.
        return block.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else block

    def _permutation(self, run: int, epoch: int) -> Tensor:
        cached_epoch, permutation = self.latest.get(run, (-1, torch.empty(0)))
        if cached_epoch != epoch:
            seed, count = self.runs[run]
            permutation = torch.randperm(count, generator=generator(f"order:{epoch}", seed))
            self.latest[run] = (epoch, permutation)
        return permutation
