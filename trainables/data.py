"""What a task gives a run, and how the runs of a pack put theirs side by side.

Runs of a pack may have different numbers of examples; shorter splits are padded by repeating example 0, and `counts`
says how many are real.
"""

# R runs, N examples, L tokens

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Split(NamedTuple):
    """A named set of examples of one run; for what is not tokens and a class, see trainables/answers.py."""

    inputs_NL: Tensor
    targets_N: Tensor


@dataclass(frozen=True)
class PackedSplit:
    """The same split of R runs, padded to the longest; `counts_R` real examples in each."""

    inputs_RNL: Tensor
    targets_RN: Tensor
    counts_R: Tensor

    @property
    def real_RN(self) -> Tensor:
        """True for an example of the run's own, False for padding."""
        return torch.arange(self.targets_RN.shape[1], device=self.counts_R.device) < self.counts_R[:, None]

    @property
    def weights_RN(self) -> Tensor:
        """1/count for a real example, 0 for padding: a weighted sum is the mean over the run's own examples."""
        return self.real_RN / self.counts_R[:, None].clamp(min=1)

    def mean(self, scores_RN: Tensor) -> Tensor:
        """Mean score over each run's own examples, (R,) doubles: all correct is exactly 1."""
        return torch.where(self.real_RN, scores_RN.double(), 0).sum(1) / self.counts_R.clamp(min=1)

    def select(self, keep_R: Tensor) -> "PackedSplit":
        """Only the runs at the positions `keep_R`."""
        return PackedSplit(self.inputs_RNL[keep_R], self.targets_RN[keep_R], self.counts_R[keep_R])


def present(splits: Mapping[str, Split]) -> dict[str, Split]:
    """Those that have an example."""
    return {name: split for name, split in splits.items() if len(split.targets_N)}


def everything(splits: Mapping[str, Split]) -> Split:
    """`train` and then `test`, where there is one."""
    parts = [splits[name] for name in ("train", "test") if name in splits]
    return Split(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def pack_splits(splits: Sequence[Split], device: torch.device, limit: int | None = None) -> PackedSplit:
    """One split of every run of a pack, on `device`; at most the first `limit` examples of each."""
    splits = [Split(s.inputs_NL[:limit], s.targets_N[:limit]) for s in splits]
    longest = max(len(s.targets_N) for s in splits)
    inputs, targets = [], []
    for split in splits:
        count = len(split.targets_N)
        position_N = torch.arange(longest)
        position_N = torch.where(position_N < count, position_N, 0)
        inputs.append(split.inputs_NL[position_N])
        targets.append(split.targets_N[position_N])
    counts_R = torch.tensor([len(s.targets_N) for s in splits])
    return PackedSplit(torch.stack(inputs).to(device), torch.stack(targets).to(device), counts_R.to(device))
