"""What a task gives a run, and how the runs of a pack put theirs side by side.

Runs of a pack may have different numbers of examples; shorter splits are padded by repeating example 0, and `counts`
says how many are real.
"""

# R runs, D different data, N examples, L tokens

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
    """The same split of R runs, padded to the longest. Runs with equal data share them, so that there are D of them."""

    inputs_DNL: Tensor
    targets_DN: Tensor
    counts_R: Tensor
    """Real examples of each run."""
    data_of_R: Tensor
    """Which of the D a run has."""

    @property
    def size(self) -> int:
        """N: examples of each run, padding included."""
        return self.targets_DN.shape[1]

    @property
    def real_RN(self) -> Tensor:
        """True for an example of the run's own, False for padding."""
        return torch.arange(self.size, device=self.counts_R.device) < self.counts_R[:, None]

    @property
    def weights_RN(self) -> Tensor:
        """1/count for a real example, 0 for padding: a weighted sum is the mean over the run's own examples."""
        return self.real_RN / self.counts_R[:, None].clamp(min=1)

    def mean(self, scores_RN: Tensor) -> Tensor:
        """Mean score over each run's own examples, (R,) doubles: all correct is exactly 1."""
        return torch.where(self.real_RN, scores_RN.double(), 0).sum(1) / self.counts_R.clamp(min=1)

    def of_runs(self, data_DN: Tensor) -> Tensor:
        """Each run's own, (R, ...), of what there is of each of the D."""
        return data_DN if len(data_DN) == len(self.data_of_R) else data_DN[self.data_of_R]

    def first(self, limit: int | None) -> "PackedSplit":
        """At most so many examples of each run, without a copy."""
        if limit is None:
            return self
        counts_R = self.counts_R.clamp(max=limit)
        return PackedSplit(self.inputs_DNL[:, :limit], self.targets_DN[:, :limit], counts_R, self.data_of_R)

    def select(self, keep_R: Tensor) -> "PackedSplit":
        """Only the runs at the positions `keep_R`."""
        kept_D, data_of_R = self.data_of_R[keep_R].unique(return_inverse=True)
        if len(kept_D) == len(keep_R):
            kept_D, data_of_R = self.data_of_R[keep_R], torch.arange(len(keep_R), device=keep_R.device)
        elif len(kept_D) == len(self.targets_DN):
            return PackedSplit(self.inputs_DNL, self.targets_DN, self.counts_R[keep_R], data_of_R)
        return PackedSplit(self.inputs_DNL[kept_D], self.targets_DN[kept_D], self.counts_R[keep_R], data_of_R)


def present(splits: Mapping[str, Split]) -> dict[str, Split]:
    """Those that have an example."""
    return {name: split for name, split in splits.items() if len(split.targets_N)}


def everything(splits: Mapping[str, Split]) -> Split:
    """`train` and then `test`, where there is one."""
    parts = [splits[name] for name in ("train", "test") if name in splits]
    return Split(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def pack_splits(splits: Sequence[Split], device: torch.device, limit: int | None = None) -> PackedSplit:
    """One split of every run of a pack, on `device`; at most the first `limit` examples of each. Runs that have the
    same object share it."""
    places = {split_id: place for place, split_id in enumerate(dict.fromkeys(map(id, splits)))}
    distinct = list({id(split): split for split in splits}.values())
    cut = [Split(s.inputs_NL[:limit], s.targets_N[:limit]) for s in distinct]
    longest = max(len(s.targets_N) for s in cut)
    padded = [_padded(split, longest) for split in cut]
    data_of_R = torch.tensor([places[id(split)] for split in splits])
    counts_R = torch.tensor([len(split.targets_N) for split in cut])[data_of_R]
    stacked = *(torch.stack(tensors) for tensors in zip(*padded, strict=True)), counts_R, data_of_R
    return PackedSplit(*(tensor.to(device) for tensor in stacked))


def _padded(split: Split, size: int) -> Split:
    """So many examples: after its own, example 0 again and again."""
    count = len(split.targets_N)
    if count == size:
        return split
    position_N = torch.arange(size)
    position_N = torch.where(position_N < count, position_N, 0)
    return Split(split.inputs_NL[position_N], split.targets_N[position_N])
