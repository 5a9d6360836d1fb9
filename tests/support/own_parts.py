"""A user's own task and model in files beside a study file."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARITY = """
from dataclasses import dataclass, field

import torch

from trainables.data import Split
from trainables.seeds import generator


@dataclass(frozen=True, kw_only=True)
class Task:
    n: int = 8
    data_size: int = field(default=60, metadata={"per_run": True})
    vocab_size = num_classes = 2
    chance_accuracy = 0.5
    num_tokens = property(lambda self: self.n)
    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: 2**self.n)

    def build(self, seed):
        bits_NL = (torch.arange(2**self.n)[:, None] >> torch.arange(self.n)) & 1
        order_N = torch.randperm(2**self.n, generator=generator("split", seed))
        examples = Split(bits_NL[order_N], bits_NL[order_N, :2].sum(1) % 2)
        return {
            "train": Split(*(tensor[: self.data_size] for tensor in examples)),
            "test": Split(*(tensor[self.data_size :] for tensor in examples)),
        }
"""

NET = """
from dataclasses import dataclass

import torch

from scaling import SCALE


@dataclass(frozen=True, kw_only=True)
class Net:
    width: int = 16

    def build(self, task, draw):
        return Module(self.width, task, draw)


class Module(torch.nn.Module):
    def __init__(self, width, task, draw):
        super().__init__()
        self.hidden = torch.nn.Parameter(torch.randn(task.num_tokens, width, generator=draw) * SCALE)
        self.out = torch.nn.Parameter(torch.randn(width, task.num_classes, generator=draw) * SCALE)

    def forward(self, bits_NL):
        return torch.relu((2.0 * bits_NL - 1) @ self.hidden) @ self.out
"""

STUDY = """
from nets import Net
from parity import Task

from study.spec import StudySpec
from trainables.optimizers import adamw
from trainables.spec import RunSpec

STUDY = StudySpec(
    question="Does it learn the parity of two bits?",
    base=RunSpec(task=Task(), model=Net(), optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=0.1)),
    axes={"task.data_size": (40, 120)},
    seeds=SEEDS,
    horizon=HORIZON,
    evaluations_per_decade=8,
)
"""


NAMES = ("parity", "nets", "scaling", "own")


def own_study(folder: Path, name: str = "own", *, seeds: int = 2, horizon: int = 120) -> Path:
    """A study file with its task, its model, and what the model imports beside it; two points."""
    folder.mkdir(parents=True, exist_ok=True)
    study = STUDY.replace("SEEDS", str(seeds)).replace("HORIZON", str(horizon))
    for file, text in (("parity", PARITY), ("nets", NET), ("scaling", "SCALE = 0.3\n"), (name, study)):
        (folder / f"{file}.py").write_text(text.lstrip())
    return folder / f"{name}.py"


@contextmanager
def elsewhere(*names: str) -> Iterator[None]:
    """The search path of this process, and which of a user's modules it has (`names`, or those of
    `own_study`), stay as they were before the block."""
    own = names or NAMES
    path, modules = list(sys.path), {name: sys.modules.pop(name) for name in own if name in sys.modules}
    try:
        yield
    finally:
        sys.path[:] = path
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(modules)
        importlib.invalidate_caches()
