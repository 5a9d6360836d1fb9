"""What each model says of its size is what its module has, keeps and does: over all models, options and tasks."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from study.check.case import Case
from study.check.size import size
from trainables.answers import num_answers
from trainables.components import available, load
from trainables.errors import SpecError
from trainables.tasks import emergence, modular

TRANSFORMERS = [
    {"layers": layers, "width": 24, "heads": 4, "norm": norm, "mlp_ratio": ratio}
    for layers, norm, ratio in itertools.product((1, 2, 5), ("none", "rms", "layer"), (1.5, 4.0))
]
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "decoder": [{"layers": layers, "width": 9, "dimensions": d} for layers in (1, 2, 5) for d in (1, 3)],
    "dense": [
        {"layers": layers, "width": 24, "activation": name}
        for layers, name in itertools.product((1, 2, 5), ("relu", "tanh", "gelu"))
    ],
    "gpt2": [
        {"layers": layers, "width": 24, "heads": heads, "loops": loops, "dropout": rate}
        for layers, heads, loops, rate in itertools.product((1, 2, 5), (1, 4), (1, 2), (0.0, 0.1))
    ],
    "mlp": [{"width": 40, "activation": name} for name in ("square", "relu", "gelu")],
    "transformer": [
        *TRANSFORMERS,
        {"layers": 2, "width": 24, "experts": 4},
        {"layers": 3, "width": 24, "experts": 6, "experts_per_token": 5, "norm": "rms", "mlp_ratio": 6.0},
        {"layers": 1, "width": 24, "split_mlp": True},
        {"layers": 3, "width": 24, "split_mlp": True, "norm": "layer"},
    ],
}
MODELS = [
    pytest.param(name, options, id=f"{name} {options}")
    for name in available("trainables.models")
    for options in VARIANTS.get(name, [{}])
]
EXAMPLES = 64


def sequences(
    tokens: int, answers: int, pad: int | None = None, vectors: bool = False, vocabulary: int = 29
) -> SimpleNamespace:
    """A task of sequences, as far as a model reads it."""
    fields = {"vocab_size": vocabulary, "num_classes": 13, "num_tokens": tokens, "num_answers": answers, "pad": pad}
    return SimpleNamespace(**fields, reads_vectors=vectors)


TASKS = {
    "pairs": modular.Task(p=23),
    "pairs and an operator": emergence.Task(p=23, memorize=10),
    "five tokens, two answers": sequences(5, 2),
    "twelve tokens": sequences(12, 1),
    "twelve tokens with padding, three answers": sequences(12, 3, pad=0),
    "twelve bits": sequences(12, 1, vocabulary=2),
    "ten vectors": sequences(10, 1, vectors=True),
    "four vectors, four answers": sequences(4, 4, vectors=True),
}


class Tried(Case):
    """A model on random inputs."""

    @property
    def inputs_NL(self) -> torch.Tensor:
        return inputs_of(self.task)


def inputs_of(task: Any) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    if getattr(task, "reads_vectors", False):
        return torch.randn(EXAMPLES, task.num_tokens, task.vocab_size, generator=draw)
    most = getattr(task, "p", task.vocab_size)
    return torch.randint(most, (EXAMPLES, task.num_tokens), generator=draw)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize(("name", "options"), MODELS)
def test_a_model_says_its_weights_and_what_an_example_keeps_and_costs(name, options, task):
    model = load("trainables.models", name).Model(**options)
    try:
        model.check(task)
    except SpecError:
        return
    size(Tried(model, task))


def test_every_model_is_compared_on_tasks_that_it_reads():
    for name in available("trainables.models"):
        model = load("trainables.models", name).Model(**VARIANTS.get(name, [{}])[0])
        task = TASKS["twelve bits" if name == "dense" else "pairs"]
        model.check(task)
        assert num_answers(task) == 1
