"""The examples that a pack trains on, and the order of their batches."""

# R runs, N examples, B batch

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from trainables.batches import BatchOrder
from trainables.data import PackedSplit, Split, everything, pack_splits
from trainables.hashed_order import HashedOrder
from trainables.spec import RunSpec


class TrainingData:
    """What the next steps of R runs train on: `train` and `test` up to `full_data_steps`, then `train` alone.

    The step reads `inputs`, `targets`, `share_RN` and `index_RB`; a CUDA graph of it must be captured again after
    `change` and `keep`.
    """

    def __init__(
        self,
        specs: Sequence[RunSpec],
        data: Sequence[Mapping[str, Split]],
        train: PackedSplit,
        step: int,
        device: torch.device,
    ) -> None:
        self.device, self.batch_size, self.change_at = device, specs[0].batch_size, specs[0].full_data_steps
        self.order_of = HashedOrder if specs[0].batch_order == "hashed" else BatchOrder
        self.order_seeds = [order_seed(spec) for spec in specs]
        self.after_change: PackedSplit | None = None
        """What the runs train on from step `change_at` on; None if they do so already."""
        if step < self.change_at:
            self.after_change = train
            whole = {id(splits): everything(splits) for splits in data}
            self._use(pack_splits([whole[id(splits)] for splits in data], device))
        else:
            self._use(train)

    @property
    def examples_per_step(self) -> int:
        """Examples that one step of one run works on, padding included."""
        return self.batch_size or self.split.size

    def batches(self, first_step: int, num_steps: int) -> Iterator[None]:
        """Stop at each of these steps, with the step's batch in `index_RB`."""
        if self.batch_size is None or not num_steps:
            yield from [None] * num_steps
            return
        block_SRB = self.order.block(first_step, num_steps)
        block_SRB += self.split.data_of_R[:, None] * self.split.size
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

    @property
    def train(self) -> PackedSplit:
        """The training split of every run, whatever they train on now."""
        return self.split if self.after_change is None else self.after_change

    def keep(self, rows: Sequence[int]) -> None:
        """Drop the data of all runs but those in these rows."""
        keep_R = torch.tensor(rows, device=self.device)
        if self.after_change is not None:
            self.after_change = self.after_change.select(keep_R)
        self.order_seeds = [self.order_seeds[row] for row in rows]
        self._use(self.split.select(keep_R))

    def _use(self, split: PackedSplit) -> None:
        self.split = split
        self.index_RB: Tensor | None = None
        """The batch of a step, as places in `inputs`; None where it takes every example."""
        if self.batch_size is not None:
            self.order = self.order_of(self.order_seeds, split.counts_R.tolist(), self.batch_size, self.device)
            # (D * N, ...): the different data of all runs, one after the other.
            self.inputs, self.targets = split.inputs_DNL.flatten(0, 1), split.targets_DN.flatten(0, 1)
            self.share_RN = None
        else:
            self.inputs, self.targets = split.of_runs(split.inputs_DNL), split.of_runs(split.targets_DN)
            self.share_RN = split.weights_RN
        for tensor in (self.inputs, self.targets, self.share_RN):
            if tensor is not None:  # one compilation for packs with other numbers of examples
                torch._dynamo.maybe_mark_dynamic(tensor, 0 if self.share_RN is None else 1)


def order_seed(spec: RunSpec) -> int:
    """The seed of what is random while a run trains: the order of its batches, and dropout."""
    return spec.seed if spec.order_seed is None else spec.order_seed
