"""The live state of a pack: weights, optimizer state and numbers of R runs, side by side on one device."""

# R runs, W weights

import dataclasses
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from trainables.checkpoint import Checkpoint
from trainables.compiler import Compiling, compiled, shape_of
from trainables.cuda_graph import Replay
from trainables.data import PackedSplit, Split, pack_splits
from trainables.dropout import LOW_32, scramble
from trainables.errors import SpecError
from trainables.evaluation import Evaluation, evaluated_splits
from trainables.flops import FORWARD, STEP, compiling_pays
from trainables.layout import Layout
from trainables.precision import dtype_of
from trainables.seeds import generator, key
from trainables.spec import RunSpec
from trainables.step import make_evaluation, make_train_step
from trainables.stopwatch import Stopwatch
from trainables.training_data import TrainingData, order_seed


class Pack:
    """R runs of one shape. `train` and `evaluate` work on all of them at once; `keep` drops those that are done."""

    def __init__(
        self,
        specs: Sequence[RunSpec],
        device: torch.device,
        compiling: Compiling,
        evaluation_examples: int | None = None,
        checkpoint: Checkpoint | None = None,
        probes: Sequence[ModuleType] = (),
        timer: Stopwatch | None = None,
    ) -> None:
        if len({spec.pack_key for spec in specs}) != 1:
            raise SpecError(f"a pack needs 1 or more runs of one shape, got {len({s.pack_key for s in specs})} shapes.")
        first = specs[0]
        self.run_ids = [spec.run_id for spec in specs]
        if len(set(self.run_ids)) != len(specs):
            raise SpecError(f"a pack needs different runs, got {len(specs)} specs of {len(set(self.run_ids))} runs.")
        self.row_of_run = list(range(len(specs)))
        """Where each run's tensors are: rows of runs that were dropped may still stand between them."""
        self.device, self.optimizer = device, first.optimizer
        self.timer = timer or Stopwatch("train")
        modules = [spec.model.build(spec.task, generator("init", spec.seed)) for spec in specs]
        self.layout = Layout(modules[0]).to(device)
        self.step = checkpoint.step if checkpoint else 0
        tensors = {"weights": torch.stack([self.layout.flatten(module) for module in modules])}
        tensors |= {slot: torch.zeros_like(tensors["weights"]) for slot in first.optimizer.slots}
        tensors["generalized_at"] = torch.full((len(specs),), -1)
        if checkpoint:
            checkpoint.check_fits(tensors, self.layout.digest)
            tensors = checkpoint.select(self.run_ids).tensors
        self.generalized_at_R = tensors.pop("generalized_at")
        """First step since which test accuracy has stayed high without a break; -1 = it is not high now."""
        self.tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
        self.num_done = torch.tensor(self.step, dtype=torch.float64, device=device)
        self.hyper = {
            name: torch.tensor([[getattr(spec.optimizer, name)] for spec in specs], device=device)
            for name in (f.name for f in dataclasses.fields(first.optimizer))
            if isinstance(getattr(first.optimizer, name), float)
        }
        data = built(specs)
        train = pack_splits([splits["train"] for splits in data], device)
        splits = evaluated_splits(data, train, device, evaluation_examples)
        self.training = TrainingData(specs, data, train, self.step, device)
        self.dropout_seeds_R: Tensor | None = None
        if getattr(first.model, "dropout", 0) > 0:
            seeds = [key("dropout", order_seed(spec)) & LOW_32 for spec in specs]
            self.dropout_seeds_R = torch.tensor(seeds, device=device)
        self._compile(specs, modules[0], splits, compiling, probes)
        self.replay = Replay(device)

    def _compile(
        self,
        specs: Sequence[RunSpec],
        module: nn.Module,
        splits: dict[str, PackedSplit],
        compiling: Compiling,
        probes: Sequence[ModuleType],
    ) -> None:
        """Make `train_step` and `evaluation`, each compiled if asked or if it does enough work."""
        first = specs[0]

        def pays(kind: float, examples: float) -> bool:
            return compiling_pays(kind, first, self.layout.num_params, len(self.run_ids), examples, self.device.type)

        # What is compiled computes float16 in float32.
        choice = "off" if first.loss == "cross_entropy_16" else compiling.choice
        precision = dtype_of(first.precision)
        shape = shape_of(specs)
        step = make_train_step(module, self.layout, first.optimizer, first.loss, precision)
        work = self.training.examples_per_step * compiling.num_steps
        self.train_step = compiled(step, choice, pays(STEP, work), f"step {shape}", self.timer)
        score = make_evaluation(module, self.layout, first.loss, precision)
        evaluated = sum(split.size for split in splits.values())
        scores_pay = pays(FORWARD, evaluated * compiling.num_evaluations)
        scores = compiled(score, choice, scores_pay, f"scores {shape}", self.timer)
        self.evaluation = Evaluation(specs, self.layout, splits, scores, probes)

    def train(self, num_steps: int) -> None:
        """`num_steps` optimizer steps of every run."""
        change_at = self.training.change_at
        if self.training.after_change is not None and self.step + num_steps >= change_at:
            num_steps -= change_at - self.step
            self._train(change_at - self.step)
            self.training.change()
            self.replay = Replay(self.device)
        self._train(num_steps)

    def wait(self) -> None:
        """Until the device has done all that it was given: on CUDA the call of a step returns before it is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def evaluate(self) -> dict[tuple[str, str], np.ndarray]:
        """Every metric at this step by (split, metric), one value per run; -inf where a run has no such split."""
        live = np.array(self.row_of_run)
        return {name: value_R[live] for name, value_R in self.evaluation.measure(self.tensors["weights"]).items()}

    def note_generalized(self, high_R: np.ndarray) -> None:
        """Remember since when test accuracy has been high; a dip starts the clock again."""
        trains_on_test = self.training.after_change is not None
        since_R, high = self.generalized_at_R, torch.from_numpy(high_R) & (not trains_on_test)
        self.generalized_at_R = torch.where(high, torch.where(since_R < 0, self.step, since_R), -1)

    def checkpoint(self, positions: Sequence[int] | None = None) -> Checkpoint:
        """Everything that the runs at `positions` need to go on from here, on the CPU and independent of further
        training; None = all runs."""
        positions = range(len(self.run_ids)) if positions is None else positions
        rows = [self.row_of_run[i] for i in positions]
        tensors = {name: tensor[rows].cpu() for name, tensor in self.tensors.items()}
        tensors["generalized_at"] = self.generalized_at_R[list(positions)]
        return Checkpoint([self.run_ids[i] for i in positions], self.step, tensors, self.layout.digest)

    def weights_of(self, run_id: str) -> Tensor:
        """One run's weights (W,), as they are now."""
        return self.tensors["weights"][self.row_of_run[self.run_ids.index(run_id)]]

    def keep(self, positions: list[int]) -> None:
        """Drop every run but those at `positions`.

        Dropped runs train on unseen until half of the rows are theirs; then the pack is compacted. Each new size may
        cost a compilation, and halving bounds how many sizes there are.
        """
        self.run_ids = [self.run_ids[i] for i in positions]
        self.row_of_run = [self.row_of_run[i] for i in positions]
        self.generalized_at_R = self.generalized_at_R[positions]
        if positions and 2 * len(positions) <= len(self.tensors["weights"]):
            self._compact()

    def close(self) -> None:
        """Give back all that it holds, whoever still refers to it. It can do nothing more."""
        self.__dict__.clear()

    def _compact(self) -> None:
        keep_R = torch.tensor(self.row_of_run, device=self.device)
        self.tensors = {name: tensor[keep_R] for name, tensor in self.tensors.items()}
        self.hyper = {name: value[keep_R] for name, value in self.hyper.items()}
        if self.dropout_seeds_R is not None:
            self.dropout_seeds_R = self.dropout_seeds_R[keep_R]
        self.training.keep(self.row_of_run)
        self.evaluation.keep(keep_R, self.training.train)
        self.row_of_run = list(range(len(self.row_of_run)))
        self.replay = Replay(self.device)

    def _train(self, num_steps: int) -> None:
        for _ in self.training.batches(self.step, num_steps):
            self.replay(self._step)
        self.step += num_steps

    def _step(self) -> None:
        state = {name: tensor for name, tensor in self.tensors.items() if name != "weights"}
        data, seeds_R = self.training, self.dropout_seeds_R
        self.train_step(
            self.tensors["weights"],
            state,
            self.optimizer.columns(self.hyper, self.num_done),
            data.inputs,
            data.targets,
            data.share_RN,
            data.index_RB,
            None if seeds_R is None else scramble(seeds_R + scramble(self.num_done.long())),
        )
        self.num_done.add_(1)


def built(specs: Sequence[RunSpec]) -> list[dict[str, Split]]:
    """The data of each run. Runs that have equal tasks and data seeds have the same object."""
    made: dict[tuple[str, int], dict[str, Split]] = {}
    for spec in specs:
        if spec.data_key not in made:
            made[spec.data_key] = spec.task.build(spec.data_seed)
    return [made[spec.data_key] for spec in specs]
