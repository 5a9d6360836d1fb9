"""Models that cannot train in packs, or whose runs are not what their seeds say."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from study.check import model
from study.check.case import Case
from tests.study.check.failing import failing
from trainables.errors import SpecError
from trainables.size import Size
from trainables.tasks import modular

TASK = modular.Task(p=7)


class Net(nn.Module):
    """Two layers over all tokens; works as it is."""

    def __init__(self, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.task = task
        inputs = task.num_tokens * task.vocab_size
        self.hidden = nn.Parameter(torch.randn(inputs, 16, generator=draw) / 2)
        self.out = nn.Parameter(torch.randn(16, task.num_classes, generator=draw) / 4)

    def units(self, tokens_NL: Tensor) -> Tensor:
        one_hot_NLV = tokens_NL[:, :, None] == torch.arange(self.task.vocab_size)
        return torch.relu(one_hot_NLV.flatten(1).float() @ self.hidden)

    def forward(self, tokens_NL: Tensor) -> Tensor:
        return self.units(tokens_NL) @ self.out


class BatchNormed(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        units_ND = self.units(tokens_NL)
        return ((units_ND - units_ND.mean(0)) / (units_ND.std(0) + 1)) @ self.out


class Buffered(Net):
    def __init__(self, task: Any, draw: torch.Generator) -> None:
        super().__init__(task, draw)
        self.norm = nn.BatchNorm1d(16)


class Undrawn(Net):
    def __init__(self, task: Any, draw: torch.Generator) -> None:
        super().__init__(task, draw)
        self.last = nn.Linear(16, task.num_classes, bias=False)

    def forward(self, tokens_NL: Tensor) -> Tensor:
        return self.last(self.units(tokens_NL))


class Fixed(Net):
    def __init__(self, task: Any, draw: torch.Generator) -> None:
        super().__init__(task, torch.Generator().manual_seed(0))


class Noisy(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        units_ND = self.units(tokens_NL)
        return (units_ND + 1e-6 * torch.randn(units_ND.shape)) @ self.out


class Counting(Net):
    calls = 0

    def forward(self, tokens_NL: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(tokens_NL) * (1 + 1e-3 * self.calls)


class Writing(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        self.out.data.mul_(1.0001)
        return super().forward(tokens_NL)


class OneRow(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        return super().forward(tokens_NL)[:, None, :].expand(-1, tokens_NL.shape[1], -1)


class Further(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        return super().forward(tokens_NL) + self.out[tokens_NL[:, 3]].sum()


class Unused(Net):
    def __init__(self, task: Any, draw: torch.Generator) -> None:
        super().__init__(task, draw)
        self.spare = nn.Parameter(torch.zeros(3))


class Branching(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        logits_NC = super().forward(tokens_NL)
        return logits_NC if logits_NC.sum() > -1e9 else -logits_NC


class Exploding(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        return super().forward(tokens_NL) / 0.0


class Halved(Net):
    def forward(self, tokens_NL: Tensor) -> Tensor:
        return super().forward(tokens_NL).half()


WRONG = {
    BatchNormed: {"logits": "not finite", "examples apart": "with the examples beside it: no batch statistics"},
    Buffered: {"build": "has the buffer norm.running_mean, norm.running_var, norm.num_batches_tracked, which runs"},
    Undrawn: {"seeds": "weights last.weight differ for the same draw: give `generator=draw`"},
    Fixed: {"seeds": "weights are the same for every draw: draw them from it"},
    Noisy: {"forward": "forward draws from torch's global random state", "vmap": ""},
    Counting: {"forward": "the same inputs give logits that differ by", "examples apart": "", "vmap": ""},
    Writing: {"forward": "the same inputs give logits that differ by", "vmap": ""},
    OneRow: {"logits": r"logits of 24 examples have shape \(24, 3, 7\), not \(24, 7\): one row for each example"},
    Further: {"logits": r"IndexError: index 3 .* \(inputs are \(24, 3\), torch.int64\) \(test_model.py, line \d+\)"},
    Unused: {"gradients": "no gradient reaches spare: use it in forward, or leave it out"},
    Branching: {"vmap": r"data-dependent control flow.*\(test_model.py, line \d+\)"},
    Exploding: {"logits": "logits are not finite at initialisation"},
    Halved: {"logits": "logits are torch.float16, not float32"},
}


def made(module: type, **members: Any) -> Any:
    members["build"] = lambda self, task, draw: module(task, draw)
    return dataclass(frozen=True)(type("Model", (), members))()


def test_a_model_that_works_passes():
    rows = list(model.checks(Case(made(Net), TASK)))
    assert failing(rows) == {}
    assert [row.name for row in rows if row.ok is None] == ["size"]


@pytest.mark.parametrize("module", WRONG)
def test_what_is_wrong_has_its_row(module):
    rows = failing(model.checks(Case(made(module), TASK)))
    told = WRONG[module]
    assert told.keys() <= rows.keys()
    for row, detail in told.items():
        assert re.search(detail, rows[row]), rows[row]


def test_a_size_that_is_not_the_modules_is_told():
    for said, detail in ((Size(1, 2, 3), "says 1 weights, the module has 496"), (Size(496, 2, 3), "keeps 2 floats")):
        sized = made(Net, size=lambda self, task, said=said: said)
        assert detail in failing(model.checks(Case(sized, TASK)))["size"]


def test_a_model_that_refuses_the_task_is_not_tried():
    def check(self: Any, task: Any) -> None:
        raise SpecError("model 'net' needs vectors.")

    [row] = model.checks(Case(made(Net, check=check), TASK))
    assert row.ok is None
    assert "the model refuses this task (model 'net' needs vectors.)" in row.detail


def test_answers_that_look_ahead_are_told():
    @dataclass(frozen=True)
    class Task:
        vocab_size = num_classes = 5
        num_tokens = num_answers = 4

        def build(self, seed: int) -> Any:
            from trainables.data import Split

            tokens_NL = torch.randint(5, (20, 4), generator=torch.Generator().manual_seed(seed))
            return {"train": Split(tokens_NL, tokens_NL)}

    class Ahead(Net):
        def forward(self, tokens_NL: Tensor) -> Tensor:
            return super().forward(tokens_NL)[:, None, :].expand(-1, 4, -1)

    assert "hide later tokens (a causal mask)" in failing(model.checks(Case(made(Ahead), Task())))["answers"]
