"""The examples that a pack trains on, and the order of their batches."""

# R runs, N examples, B batch

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from trainables.batches import BatchOrder
from trainables.data import PackedSplit, Split, everything, pack_splits
from trainables.spec import RunSpec


class TrainingData:
    """What the next steps of R runs train on: `train` and `test` up to `full_data_steps`, then `train` alone.

    The step reads `split`, `share_RN` and `index_RB`; a CUDA graph of it must be captured again after `change` and
    `keep`.
    """

    def __init__(
        self, specs: Sequence[RunSpec], data: Sequence[Mapping[str, Split]], step: int, device: torch.device
    ) -> None:
        self.device, self.batch_size, self.change_at = device, specs[0].batch_size, specs[0].full_data_steps
        self.order_seeds = [order_seed(spec) for spec in specs]
        train = pack_splits([splits["train"] for splits in data], device)
        self.after_change: PackedSplit | None = None
        """What the runs train on from step `change_at` on; None if they do so already."""
        if step < self.change_at:
            self.after_change = train
            self._use(pack_splits([everything(splits) for splits in data], device))
        else:
            self._use(train)

    @property
    def examples_per_step(self) -> int:
        """Examples that one step of one run works on, padding included."""
        return self.batch_size or self.split.targets_RN.shape[1]

    def batches(self, first_step: int, num_steps: int) -> Iterator[None]:
        """Stop at each of these steps, with the step's batch in `index_RB`."""
        if self.batch_size is None or not num_steps:
            yield from [None] * num_steps
            return
        block_SRB = self.order.block(first_step, num_steps)
        if self.index_RB is None:
            self.index_RB = block_SRB[0].clone()
        for index_RB in block_SRB:
            self.index_RB.copy_(index_RB)
            yield

    def change(self) -> None:
        """From now on `train` alone."""
        assert self.after_change is not None
        self._use(self.after_change)
        self.after_change = None

    def keep(self, rows: Sequence[int]) -> None:
        """Drop the data of all runs but those in these rows."""
        keep_R = torch.tensor(rows, device=self.device)
        self.split, self.share_RN = self.split.select(keep_R), self.share_RN[keep_R]
        if self.after_change is not None:
            self.after_change = self.after_change.select(keep_R)
        self.order_seeds = [self.order_seeds[row] for row in rows]
        if self.batch_size is not None:
            self.order, self.index_RB = self.order.select(rows), None

    def _use(self, split: PackedSplit) -> None:
        self.split, self.share_RN = split, split.weights_RN
        self.index_RB: Tensor | None = None
        """The batch of a step; None where it takes every example."""
        if self.batch_size is not None:
            self.order = BatchOrder(self.order_seeds, split.counts_R.tolist(), self.batch_size, self.device)
        for tensor_RN in (split.inputs_RNL, split.targets_RN, self.share_RN):
            torch._dynamo.maybe_mark_dynamic(tensor_RN, 1)  # one compilation for packs with other numbers of examples


def order_seed(spec: RunSpec) -> int:
    """The seed of what is random while a run trains: the order of its batches, and dropout."""
    return spec.seed if spec.order_seed is None else spec.order_seed
