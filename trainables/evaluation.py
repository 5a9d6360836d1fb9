"""What is measured of all runs of a pack at once: scores on every split, and the cheap probes."""

# R runs, N examples, W weights

import dataclasses
import math
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
        self.task, self.layout, self.score = spec.task, layout, score
        self.floats_per_example = size_of(spec.model, spec.task).floats
        self.splits, self.chunks = self._joined(splits)
        self.probes = [probe for probe in (*modules_of("trainables.probes"), *probes) if hasattr(probe, "measure")]

    def measure(self, weights_RW: Tensor) -> dict[tuple[str, str], np.ndarray]:
        """Every metric by (split, metric), one value for each run (R,); probes have the split `model`."""
        values: dict[tuple[str, str], np.ndarray] = {}
        scored = [self.score(weights_RW, inputs_RNL, targets_RN) for inputs_RNL, targets_RN in self.chunks]
        scores = {metric: torch.cat([part[metric] for part in scored], dim=1) for metric in scored[0]}
        start = 0
        for split, data in self.splits.items():
            end = start + data.targets_RN.shape[1]
            absent_R = (data.counts_R == 0).cpu().numpy()
            for metric, scores_RN in scores.items():
                values[split, metric] = np.where(absent_R, ABSENT, data.mean(scores_RN[:, start:end]).cpu().numpy())
            start = end
        for probe in self.probes:
            measured = vmap(lambda w: probe.measure(self.layout.named(w), self.task))(weights_RW)  # noqa: B023
            values |= {("model", name): value_R.double().cpu().numpy() for name, value_R in measured.items()}
        return values

    def keep(self, keep_R: Tensor) -> None:
        """Drop the data of all runs but those in these rows."""
        self.splits, self.chunks = self._joined({name: data.select(keep_R) for name, data in self.splits.items()})

    def _joined(self, splits: dict[str, PackedSplit]) -> tuple[dict[str, PackedSplit], list[tuple[Tensor, Tensor]]]:
        """The splits, and chunks of all their examples, one after the other, that fit the device.

        All chunks have one size, so that `score` is compiled once: the first examples stand once more at the end. The
        splits are views of the same memory.
        """
        inputs_RNL, targets_RN = (
            torch.cat([getattr(data, name) for data in splits.values()], dim=1) for name in ("inputs_RNL", "targets_RN")
        )
        num_runs, num_examples = targets_RN.shape[:2]
        budget = PROFILES[targets_RN.device.type].evaluation_floats // (self.floats_per_example * num_runs)
        num_chunks = math.ceil(num_examples / max(1, budget))
        size = math.ceil(num_examples / num_chunks)
        again = size * num_chunks - num_examples
        inputs_RNL, targets_RN = (torch.cat([x, x[:, :again]], dim=1) for x in (inputs_RNL, targets_RN))
        views, start = {}, 0
        for name, data in splits.items():
            end = start + data.targets_RN.shape[1]
            views[name] = PackedSplit(inputs_RNL[:, start:end], targets_RN[:, start:end], data.counts_R)
            start = end
        return views, list(zip(inputs_RNL.split(size, dim=1), targets_RN.split(size, dim=1), strict=True))


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
