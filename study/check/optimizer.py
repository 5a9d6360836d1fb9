"""An optimizer: all runs of a pack at once, in place, and each as if it were alone."""

# R runs, W weights

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from study.check.case import apart, same
from study.check.row import Check, Wrong, outcome, require
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.models import transformer
from trainables.seeds import generator
from trainables.tasks import modular

MODEL = transformer.Model(width=12, heads=2, mlp_ratio=1.5, norm="rms")  # sizes that need padding, and a wide mlp_in
TASK = modular.Task(p=5)
RUNS = 3
STEPS = 5
USUAL = {"learning_rate": (1e-3, 3e-3, 9e-3), "weight_decay": (0.0, 0.5, 1.0), "warmup_steps": (0.0, 5.0, 10.0)}
"""Values that differ between runs, for fields of these names; others shrink from run to run."""


class Packed:
    """The weights, state and hyperparameters of runs side by side, as `Pack` holds them."""

    def __init__(self, optimizers: Sequence[Any]) -> None:
        self.optimizers, self.optimizer = optimizers, optimizers[0]
        modules = [MODEL.build(TASK, generator("init", seed)) for seed in range(len(optimizers))]
        self.layout = Layout(modules[0])
        self.weights_RW = torch.stack([self.layout.flatten(module) for module in modules])
        self.state = {slot: torch.zeros_like(self.weights_RW) for slot in self.optimizer.slots}
        names = [f.name for f in dataclasses.fields(self.optimizer) if isinstance(vars(self.optimizer)[f.name], float)]
        self.hyper = {name: torch.tensor([[getattr(o, name)] for o in optimizers]) for name in names}
        self.step = torch.tensor(0.0)

    def update(self, grads_RW: Tensor) -> None:
        """One step."""
        columns = self.optimizer.columns(self.hyper, self.step)
        self.optimizer.update(self.weights_RW, grads_RW, self.state, columns, self.layout)
        self.step += 1

    def only(self, run: int) -> "Packed":
        """Itself, with one run, whose optimizer is the one that updates."""
        self.optimizer = self.optimizers[run]
        self.weights_RW = self.weights_RW[run : run + 1]
        self.state = {slot: value[run : run + 1] for slot, value in self.state.items()}
        self.hyper = {field: value[run : run + 1] for field, value in self.hyper.items()}
        return self

    def gradients(self, step: int) -> Tensor:
        """Gradients of very different sizes; nothing in the padding; a weight of each run gets none at all."""
        draw = torch.Generator().manual_seed(step)
        real_W = self.real_W()
        real_W[0] = 0
        return torch.randn(self.weights_RW.shape, generator=draw) * real_W * 10.0 ** (step % 5 - 3)

    def real_W(self) -> Tensor:
        """1 for a weight, 0 for padding."""
        real_W = torch.zeros(self.layout.width)
        for part in self.layout.named(real_W).values():
            part.fill_(1)
        return real_W


def checks(kind: type) -> Iterator[Check]:
    """All checks of an optimizer's class by itself."""
    for name, check in CHECKS.items():
        yield outcome(name, check, kind)


def varied(kind: type) -> list[Any]:
    """One optimizer for each of three runs, with numbers that differ wherever the class lets them."""
    optimizers = [kind() for _ in range(RUNS)]
    for field in dataclasses.fields(kind):
        value = getattr(optimizers[0], field.name)
        if not isinstance(value, float):
            continue
        try:
            optimizers = [
                dataclasses.replace(
                    optimizer, **{field.name: USUAL.get(field.name, (value, 0.8 * value, 0.64 * value))[run]}
                )
                for run, optimizer in enumerate(optimizers)
            ]
        except SpecError:
            continue
    return optimizers


def slots(kind: type) -> str:
    """Names of the state that each weight has, and numbers that may differ between runs."""
    said = kind.slots
    require(
        isinstance(said, tuple) and all(isinstance(name, str) for name in said),
        f'slots is {said!r}: a tuple of names, ("velocity",); () where nothing is kept.',
    )
    numbers = [f.name for f in dataclasses.fields(kind) if isinstance(getattr(kind(), f.name), float)]
    require(
        numbers, "no field is a float, so nothing can differ between the runs of a pack: write `learning_rate: float`."
    )
    return f"{', '.join(said) or 'no state'}; per run {', '.join(numbers)}"


def alone(kind: type) -> str:
    """Runs with their own hyperparameters do not feel each other."""
    optimizers = varied(kind)
    packed = Packed(optimizers)
    for step in range(STEPS):
        packed.update(packed.gradients(step))
    for run in range(RUNS):
        single, whole = Packed(optimizers).only(run), Packed(optimizers)
        for step in range(STEPS):
            single.update(whole.gradients(step)[run : run + 1])
        a, b = single.weights_RW[0], packed.weights_RW[run]
        if not same(a, b, rtol=1e-5, atol=1e-6):
            raise Wrong(
                f"weights of run {run} are {apart(a, b):.2g} from those alone after {STEPS} steps: sum over dim=1 "
                "(weights of a run), never over dim=0 (runs), and read numbers from columns, (R, 1), not from self."
            )
    return f"{RUNS} runs with their own numbers are those alone"


def in_place(kind: type) -> str:
    """Weights and state change where they are, and padding stays zero."""
    packed = Packed(varied(kind))
    tensors = {"weights": packed.weights_RW, **packed.state}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    for step in range(3):
        packed.update(packed.gradients(step))
    for name, tensor in tensors.items():
        require((tensor != before[name]).any(), f"{name} did not change: write into it, as in {name}_RW.sub_(...).")
        require(tensor.isfinite().all(), f"{name} is not finite after 3 steps.")
        padding = tensor[:, packed.real_W() == 0]
        require((padding == 0).all(), f"{name} is not 0 in the padding between parameters, where gradients are 0.")
    return "weights and state change in place"


def reads_gradients(kind: type) -> str:
    """Gradients are not written into."""
    packed = Packed(varied(kind)[-1:])
    grads_RW = packed.gradients(0)
    packed.update(grads_RW)
    require(grads_RW.equal(packed.gradients(0)), "update writes into the gradients: make a new tensor.")
    return "gradients stay as they are"


def harm(kind: type) -> str:
    """A run whose gradients are not numbers harms no other."""
    packed = Packed([kind() for _ in range(RUNS)])
    grads_RW = packed.gradients(0)
    grads_RW[1] = float("nan")
    packed.update(grads_RW)
    require(packed.weights_RW[[0, 2]].isfinite().all(), "NaN in one run's gradients came into other runs.")
    require(
        packed.weights_RW[1].isnan().any(), "NaN in a run's gradients is not in its weights: it would train on unseen."
    )
    return "a diverged run harms no other"


CHECKS = {
    "slots": slots,
    "runs apart": alone,
    "in place": in_place,
    "gradients": reads_gradients,
    "diverged run": harm,
}
