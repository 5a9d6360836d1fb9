"""What is measured of all runs of a pack at once: scores on every split, and the cheap probes."""

# R runs, N examples, W weights

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

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
        specs: Sequence[RunSpec],
        layout: Layout,
        splits: dict[str, PackedSplit],
        score: Callable[..., dict[str, Tensor]],
        probes: Sequence[ModuleType] = (),
    ) -> None:
        self.layout, self.splits, self.score = layout, splits, score
        self.tasks = [spec.task for spec in specs]
        self.alike = alike(self.tasks)
        self.floats_per_example = size_of(specs[0].model, specs[0].task).floats
        self.probes = [probe for probe in (*modules_of("trainables.probes"), *probes) if hasattr(probe, "measure")]

    def measure(self, weights_RW: Tensor) -> dict[tuple[str, str], np.ndarray]:
        """Every metric by (split, metric), one value for each run (R,); probes have the split `model`."""
        values: dict[tuple[str, str], np.ndarray] = {}
        scored = [self.score(weights_RW, inputs_RNL, targets_RN) for inputs_RNL, targets_RN in self._chunks()]
        scores = {metric: torch.cat([part[metric] for part in scored], dim=1) for metric in scored[0]}
        start = 0
        for split, data in self.splits.items():
            end = start + data.size
            absent_R = (data.counts_R == 0).cpu().numpy()
            for metric, scores_RN in scores.items():
                values[split, metric] = np.where(absent_R, ABSENT, data.mean(scores_RN[:, start:end]).cpu().numpy())
            start = end
        return values | self._probed(weights_RW)

    def _probed(self, weights_RW: Tensor) -> dict[tuple[str, str], np.ndarray]:
        """What the probes measure."""
        values: dict[tuple[str, str], np.ndarray] = {}
        for rows in self.alike:
            task = self.tasks[rows[0]]
            weights_SW = weights_RW if len(rows) == len(self.tasks) else weights_RW[rows]
            for probe in self.probes:
                measured = vmap(lambda w: probe.measure(self.layout.named(w), task))(weights_SW)  # noqa: B023
                for name, value_S in measured.items():
                    values.setdefault(("model", name), np.full(len(self.tasks), ABSENT))[rows] = (
                        value_S.double().cpu().numpy()
                    )
        return values

    def keep(self, keep_R: Tensor, train: PackedSplit) -> None:
        """Drop the data of all runs but those in these rows; `train` is their training split, on the device already."""
        self.tasks = [self.tasks[row] for row in keep_R.tolist()]
        self.alike = alike(self.tasks)
        kept = {"train": train.first(self.splits["train"].size)}
        self.splits = {name: kept.get(name) or data.select(keep_R) for name, data in self.splits.items()}

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The inputs and targets of all splits, one after the other, in chunks that fit the device.

        All chunks have one size, so that `score` is compiled once: the first examples stand once more at the end.
        """
        splits = list(self.splits.values())
        num_runs, num_examples = len(splits[0].counts_R), sum(data.size for data in splits)
        budget = PROFILES[splits[0].counts_R.device.type].evaluation_floats // (self.floats_per_example * num_runs)
        num_chunks = math.ceil(num_examples / max(1, budget))
        size = math.ceil(num_examples / num_chunks)
        for start in range(0, size * num_chunks, size):
            yield (
                window([(data, data.inputs_DNL) for data in splits], start, start + size),
                window([(data, data.targets_DN) for data in splits], start, start + size),
            )


def alike(tasks: Sequence[Any]) -> list[list[int]]:
    """Positions of the tasks that are the same to probes: in the fields that say `probed`, of those in which runs of a
    pack may differ."""
    groups: dict[str, list[int]] = {}
    for position, task in enumerate(tasks):
        fields = (field.name for field in dataclasses.fields(task) if field.metadata.get("probed"))
        groups.setdefault(repr([getattr(task, name) for name in fields]), []).append(position)
    return list(groups.values())


def window(parts: Sequence[tuple[PackedSplit, Tensor]], start: int, end: int) -> Tensor:
    """Examples `start` to `end` of splits that follow each other, each beside its inputs or targets, (R, end - start,
    ...); after the last come the first again."""
    found, before = [], 0
    for split, part_DN in (*parts, *parts):
        if start < before + split.size and before < end:
            found.append(split.of_runs(part_DN[:, max(0, start - before) : end - before]))
        before += split.size
    return torch.cat(found, dim=1)


def evaluated_splits(
    data: Sequence[Mapping[str, Split]], train: PackedSplit, device: torch.device, limit: int | None
) -> dict[str, PackedSplit]:
    """Every split that any run has, at most `limit` examples of each; a run that lacks it has a count of 0.

    `train` is on the device already, and is not copied.
    """
    packed = {}
    for name in dict.fromkeys(name for splits in data for name in splits):
        if name == "train":
            packed[name] = train.first(limit)
            continue
        filler = next(splits[name] for splits in data if name in splits)
        split = pack_splits([splits.get(name, filler) for splits in data], device, limit)
        has_R = torch.tensor([name in splits for splits in data], device=device)
        packed[name] = dataclasses.replace(split, counts_R=split.counts_R * has_R)
    return packed
