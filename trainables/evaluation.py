"""What is measured of all runs of a pack at once: scores on every split, and the cheap probes."""

# R runs, N examples, W weights

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from trainables.components import modules_of
from trainables.data import PackedSplit, Split, pack_splits
from trainables.device import PROFILES
from trainables.layout import Layout
from trainables.size import size_of
from trainables.spec import RunSpec

ABSENT = -np.inf
"""The value of a metric for a run without examples in the split; none of our metrics can be minus infinity."""


class Evaluation:
    """The evaluated splits of R runs. `score` is `make_evaluation`'s function, which may be compiled; `probes` are
    measured beside the package's own cheap ones."""

    def __init__(
        self,
        spec: RunSpec,
        layout: Layout,
        splits: dict[str, PackedSplit],
        score: Callable[..., dict[str, Tensor]],
        probes: Sequence[ModuleType] = (),
    ) -> None:
        self.task, self.layout, self.splits, self.score = spec.task, layout, splits, score
        self.floats_per_example = size_of(spec.model, spec.task).floats
        self.probes = [probe for probe in (*modules_of("trainables.probes"), *probes) if hasattr(probe, "measure")]

    def measure(self, weights_RW: Tensor) -> dict[tuple[str, str], np.ndarray]:
        """Every metric by (split, metric), one value for each run (R,); probes have the split `model`."""
        values: dict[tuple[str, str], np.ndarray] = {}
        for split, data in self.splits.items():
            absent_R = (data.counts_R == 0).cpu().numpy()
            for metric, scores_RN in self._scores(weights_RW, data).items():
                values[split, metric] = np.where(absent_R, ABSENT, data.mean(scores_RN).cpu().numpy())
        for probe in self.probes:
            measured = vmap(lambda w: probe.measure(self.layout.named(w), self.task))(weights_RW)  # noqa: B023
            values |= {("model", name): value_R.double().cpu().numpy() for name, value_R in measured.items()}
        return values

    def keep(self, keep_R: Tensor) -> None:
        """Drop the data of all runs but those in these rows."""
        self.splits = {name: data.select(keep_R) for name, data in self.splits.items()}

    def _scores(self, weights_RW: Tensor, data: PackedSplit) -> dict[str, Tensor]:
        """What each metric gives every example, (R, N), in chunks of examples that fit the device."""
        budget = PROFILES[weights_RW.device.type].evaluation_floats // (self.floats_per_example * len(data.counts_R))
        chunk = max(1, min(data.targets_RN.shape[1], budget))
        parts = [
            self.score(weights_RW, inputs_RNL, targets_RN)
            for inputs_RNL, targets_RN in zip(
                data.inputs_RNL.split(chunk, dim=1), data.targets_RN.split(chunk, dim=1), strict=True
            )
        ]
        return {metric: torch.cat([part[metric] for part in parts], dim=1) for metric in parts[0]}


def evaluated_splits(
    data: Sequence[Mapping[str, Split]], device: torch.device, limit: int | None
) -> dict[str, PackedSplit]:
    """Every split that any run has, at most `limit` examples of each; a run that lacks it has a count of 0."""
    packed = {}
    for name in dict.fromkeys(name for splits in data for name in splits):
        filler = next(splits[name] for splits in data if name in splits)
        split = pack_splits([splits.get(name, filler) for splits in data], device, limit)
        has_R = torch.tensor([name in splits for splits in data], device=device)
        packed[name] = dataclasses.replace(split, counts_R=split.counts_R * has_R)
    return packed
