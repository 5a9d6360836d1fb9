"""The live state of a pack: weights, optimizer state, numbers and data of R runs, side by side on one device."""

# R runs, N examples, L tokens, W weights, B batch

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from trainables.batches import BatchOrder
from trainables.checkpoint import Checkpoint
from trainables.compiler import Replay, compiled
from trainables.components import modules_of
from trainables.data import PackedSplit, everything, num_answers, pack_splits
from trainables.dropout import LOW_32, scramble
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.seeds import generator, key
from trainables.spec import RunSpec
from trainables.step import make_evaluation, make_train_step

EVALUATION_FLOATS = {"cpu": 2**23, "cuda": 2**28}
"""Activations of one evaluation call at most, by device type: 32 MB stay in a CPU's caches, 1 GB in a GPU's memory."""
ABSENT = -np.inf
"""Stands for 'this run has no such split'; no metric of ours can be minus infinity."""


class Pack:
    """R runs of one shape. `train` and `evaluate` work on all of them at once; `keep` drops those that are done.

    `num_steps` and `num_evaluations` say how much work compiling would serve, counted in this pack's.
    """

    def __init__(
        self,
        specs: Sequence[RunSpec],
        device: torch.device,
        compile: str,
        num_steps: float,
        num_evaluations: float,
        evaluation_examples: int | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        if len({spec.pack_key for spec in specs}) != 1:
            raise SpecError(f"a pack needs 1 or more runs of one shape, got {len({s.pack_key for s in specs})} shapes.")
        first = specs[0]
        self.run_ids = [spec.run_id for spec in specs]
        if len(set(self.run_ids)) != len(specs):
            raise SpecError(f"a pack needs different runs, got {len(specs)} specs of {len(set(self.run_ids))} runs.")
        self.device, self.task, self.optimizer = device, first.task, first.optimizer
        modules = [spec.model.build(spec.task, generator("init", spec.seed)) for spec in specs]
        self.layout = Layout(modules[0]).to(device)
        self.step = checkpoint.step if checkpoint else 0
        if checkpoint:
            tensors = checkpoint.select(self.run_ids).tensors
        else:
            tensors = {"weights": torch.stack([self.layout.flatten(module) for module in modules])}
            tensors |= {slot: torch.zeros_like(tensors["weights"]) for slot in first.optimizer.slots}
            tensors["generalized_at"] = torch.full((len(specs),), -1)
        self.generalized_at_R = tensors.pop("generalized_at")
        """First step from which test accuracy has stayed high without a break; -1 = it is not high now."""
        self.tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
        self.num_done = torch.tensor(self.step, dtype=torch.float64, device=device)
        self.hyper = {
            name: torch.tensor([[getattr(spec.optimizer, name)] for spec in specs], device=device)
            for name in (f.name for f in dataclasses.fields(first.optimizer))
            if isinstance(getattr(first.optimizer, name), float)
        }
        data = [spec.task.build(spec.data_seed) for spec in specs]
        self.splits = _packed(data, device, evaluation_examples)
        self.batch_size, self.order_seeds = first.batch_size, [order_seed(spec) for spec in specs]
        self.full_data_steps = first.full_data_steps
        held_out = pack_splits([splits["train"] for splits in data], device)
        if self.step < self.full_data_steps:
            self._train_on(pack_splits([everything(splits) for splits in data], device))
        else:
            self._train_on(held_out)
        self.held_out: PackedSplit | None = held_out if self.step < self.full_data_steps else None
        """What the runs train on from `full_data_steps` on, where they have not got there yet."""
        self.dropout_seeds_R: Tensor | None = None
        if getattr(first.model, "dropout", 0) > 0:
            seeds = [key("dropout", seed) & LOW_32 for seed in self.order_seeds]
            self.dropout_seeds_R = torch.tensor(seeds, device=device)
        self.row_of_run = list(range(len(specs)))
        flops_per_example = 2.0 * self.layout.num_params * num_answers(first.task) * len(specs)
        examples = self.batch_size or self.train_data.targets_RN.shape[1]
        evaluated = sum(split.targets_RN.shape[1] for split in self.splits.values())
        precision = getattr(torch, first.precision)
        train_step = make_train_step(modules[0], self.layout, first.optimizer, first.loss, precision)
        self.train_step = compiled(train_step, compile, 3 * flops_per_example * examples * num_steps)
        evaluation = make_evaluation(modules[0], self.layout, first.loss, precision)
        self.scores = compiled(evaluation, compile, flops_per_example * evaluated * num_evaluations)
        self.floats_per_example = first.model.floats_per_example(first.task)
        self.probes = [probe for probe in modules_of("trainables.probes") if hasattr(probe, "measure")]
        self.replay = Replay(self._step, device)

    def train(self, num_steps: int) -> None:
        """`num_steps` optimizer steps of every run."""
        if self.held_out is not None and self.step + num_steps >= self.full_data_steps:
            before = self.full_data_steps - self.step
            self._train(before)
            self._train_on(self.held_out)
            self.held_out, self.replay = None, Replay(self._step, self.device)
            num_steps -= before
        self._train(num_steps)

    def _train_on(self, data: PackedSplit) -> None:
        """Make these the examples of the steps to come."""
        self.train_data, self.share_RN = data, data.weights_RN
        self.index_RB: Tensor | None = None
        if self.batch_size is not None:
            self.order = BatchOrder(self.order_seeds, data.counts_R.tolist(), self.batch_size, self.device)
        for tensor_RN in (data.inputs_RNL, data.targets_RN, self.share_RN):
            torch._dynamo.maybe_mark_dynamic(tensor_RN, 1)  # one compilation for packs with other numbers of examples

    def _train(self, num_steps: int) -> None:
        if not num_steps:
            return
        if self.batch_size is None:
            for _ in range(num_steps):
                self.replay()
        else:
            block_SRB = self.order.block(self.step, num_steps)
            if self.index_RB is None:
                self.index_RB = block_SRB[0].clone()
            for index_RB in block_SRB:
                self.index_RB.copy_(index_RB)
                self.replay()
        self.step += num_steps

    def evaluate(self) -> dict[tuple[str, str], np.ndarray]:
        """Every metric at this step by (split, metric), one value per run; -inf where a run has no such split."""
        values: dict[tuple[str, str], np.ndarray] = {}
        live = np.array(self.row_of_run)
        for split, data in self.splits.items():
            absent_R = (data.counts_R == 0).cpu().numpy()
            for metric, scores_RN in self._scores(data).items():
                values[split, metric] = np.where(absent_R, ABSENT, data.mean(scores_RN).cpu().numpy())[live]
        for probe in self.probes:
            measured = vmap(lambda w: probe.measure(self.layout.named(w), self.task))(self.tensors["weights"])  # noqa: B023
            values |= {("model", name): value_R.double().cpu().numpy()[live] for name, value_R in measured.items()}
        return values

    def note_generalized(self, high_R: np.ndarray) -> None:
        """Remember since when test accuracy has been high; a dip starts the clock again."""
        since_R, high = self.generalized_at_R, torch.from_numpy(high_R) & (self.held_out is None)
        self.generalized_at_R = torch.where(high, torch.where(since_R < 0, self.step, since_R), -1)

    def checkpoint(self) -> Checkpoint:
        """Everything needed to go on from here, on the CPU and independent of further training."""
        tensors = {name: tensor[self.row_of_run].cpu() for name, tensor in self.tensors.items()}
        return Checkpoint(list(self.run_ids), self.step, {**tensors, "generalized_at": self.generalized_at_R.clone()})

    def weights_of(self, run_id: str) -> Tensor:
        """One run's weights (W,), as they are now."""
        return self.tensors["weights"][self.row_of_run[self.run_ids.index(run_id)]]

    def keep(self, positions: list[int]) -> None:
        """Drop every run but those at `positions`.

        Dropped runs train on unseen until half of the rows are theirs; then the pack is compacted. Each new size may
        cost a compilation, and halving bounds how many there are.
        """
        self.run_ids = [self.run_ids[i] for i in positions]
        self.row_of_run = [self.row_of_run[i] for i in positions]
        self.generalized_at_R = self.generalized_at_R[positions]
        if positions and 2 * len(positions) <= len(self.tensors["weights"]):
            self._compact()

    def _compact(self) -> None:
        keep_R = torch.tensor(self.row_of_run, device=self.device)
        self.tensors = {name: tensor[keep_R] for name, tensor in self.tensors.items()}
        self.hyper = {name: value[keep_R] for name, value in self.hyper.items()}
        self.splits = {name: data.select(keep_R) for name, data in self.splits.items()}
        self.train_data, self.share_RN = self.train_data.select(keep_R), self.share_RN[keep_R]
        if self.dropout_seeds_R is not None:
            self.dropout_seeds_R = self.dropout_seeds_R[keep_R]
        if self.held_out is not None:
            self.held_out = self.held_out.select(keep_R)
        self.order_seeds = [self.order_seeds[row] for row in self.row_of_run]
        if self.batch_size is not None:
            self.order, self.index_RB = self.order.select(self.row_of_run), None
        self.row_of_run = list(range(len(self.row_of_run)))
        self.replay = Replay(self._step, self.device)

    def _step(self) -> None:
        state = {name: tensor for name, tensor in self.tensors.items() if name != "weights"}
        data, seeds_R = self.train_data, self.dropout_seeds_R
        self.train_step(
            self.tensors["weights"],
            state,
            self.optimizer.columns(self.hyper, self.num_done),
            data.inputs_RNL,
            data.targets_RN,
            self.share_RN,
            self.index_RB,
            None if seeds_R is None else scramble(seeds_R + scramble(self.num_done.long())),
        )
        self.num_done.add_(1)

    def _scores(self, data: PackedSplit) -> dict[str, Tensor]:
        budget = EVALUATION_FLOATS[self.device.type] // (self.floats_per_example * len(data.counts_R))
        chunk = max(1, min(data.targets_RN.shape[1], budget))
        parts = [
            self.scores(self.tensors["weights"], inputs_RNL, targets_RN)
            for inputs_RNL, targets_RN in zip(
                data.inputs_RNL.split(chunk, dim=1), data.targets_RN.split(chunk, dim=1), strict=True
            )
        ]
        return {metric: torch.cat([part[metric] for part in parts], dim=1) for metric in parts[0]}


def order_seed(spec: RunSpec) -> int:
    """The seed of what is random while a run trains: the order of its batches, and dropout."""
    return spec.seed if spec.order_seed is None else spec.order_seed


def _packed(data: list[dict[str, Any]], device: torch.device, limit: int | None) -> dict[str, PackedSplit]:
    """Every split that any run has; a run that lacks it is there with no examples."""
    packed = {}
    for name in dict.fromkeys(name for splits in data for name in splits):
        filler = next(splits[name] for splits in data if name in splits)
        split = pack_splits([splits.get(name, filler) for splits in data], device, limit)
        has_R = torch.tensor([name in splits for splits in data], device=device)
        packed[name] = dataclasses.replace(split, counts_R=split.counts_R * has_R)
    return packed
