"""Answers of several tokens, and numbers: losses and metrics by hand, causality, and the engine's promises for both."""

# N examples, L tokens, T answers, C classes, D floats of an input vector

import dataclasses
import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.support.runs import Recorded, stopped, trained
from trainables.answers import UNSCORED
from trainables.attention import attend, hidden_positions
from trainables.data import Split
from trainables.device import PROFILES
from trainables.errors import SpecError
from trainables.flops import run_flops
from trainables.layout import Layout
from trainables.lookup import lookup
from trainables.models import gpt2, transformer
from trainables.optimizers import adamw
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.step import correctness, example_losses
from trainables.tasks import in_context_classification

MODELS = {
    "transformer": transformer.Model(layers=2, width=16, heads=2, norm="layer"),
    "gpt2": gpt2.Model(layers=2, width=16, heads=2, dropout=0.0, init_scale=5.0),
    "gpt2, dropout": gpt2.Model(layers=1, width=16, heads=2, dropout=0.1, init_scale=5.0),
}


@dataclass(frozen=True, kw_only=True)
class Backwards:
    """Two or three of five letters, a mark, and the letters backwards: [a b c > c b] asks for c b a."""

    data_size: int = dataclasses.field(default=100, metadata={"per_run": True})

    vocab_size = num_classes = 7
    num_tokens, num_answers, pad, label_corruption, chance_accuracy = 6, 3, 6, 0.0, 0.04
    num_examples = 150

    @property
    def num_train(self) -> int:
        return self.data_size

    def build(self, seed: int) -> dict[str, Split]:
        words = [word for length in (2, 3) for word in itertools.product(range(5), repeat=length)]
        order = torch.randperm(len(words), generator=generator("split", seed)).tolist()
        inputs, targets = [], []
        for word in (words[i] for i in order):
            tokens = [*word, 5, *word[::-1]]
            inputs.append([self.pad] * (self.num_tokens + 1 - len(tokens)) + tokens[:-1])
            targets.append([UNSCORED] * (self.num_answers - len(word)) + [*word[::-1]])
        whole = Split(torch.tensor(inputs), torch.tensor(targets))
        train, test = (Split(*(part[cut] for part in whole)) for cut in (slice(self.data_size), slice(100, None)))
        return {"train": train, "test": test}


@dataclass(frozen=True, kw_only=True)
class RunningSum:
    """Four vectors of three floats; at each of the last two the sum so far of their first floats."""

    vocab_size, num_classes = 3, 1
    num_tokens, num_answers, pad, label_corruption, chance_accuracy = 4, 2, None, 0.0, None
    num_train, num_examples = 64, 96

    def build(self, seed: int) -> dict[str, Split]:
        inputs_NLD = torch.randn(96, 4, 3, generator=generator("split", seed))
        targets_NT = inputs_NLD[:, :, 0].cumsum(1)[:, -2:]
        return {"train": Split(inputs_NLD[:64], targets_NT[:64]), "test": Split(inputs_NLD[64:], targets_NT[64:])}


# A spec asks only that its task's module has a name among the tasks; these two need no file.
Backwards.__module__, RunningSum.__module__ = "trainables.tasks.backwards", "trainables.tasks.running_sum"


def run(kind: str = "transformer", seed: int = 0, task: Any = None, **options: Any) -> RunSpec:
    optimizer = adamw.Optimizer(learning_rate=5e-3, weight_decay=0.1)
    return RunSpec(
        task=task or Backwards(),
        model=MODELS[kind],
        optimizer=optimizer,
        **{"batch_size": 32, "seed": seed, "data_seed": seed, **options},
    )


def numbers(seed: int = 0) -> RunSpec:
    return run(task=RunningSum(), seed=seed, loss="mse")


def module_of(spec: RunSpec, record: Recorded) -> torch.nn.Module:
    module = spec.model.build(spec.task, generator("init", 0))
    module.load_state_dict(Layout(module).named(record.left[spec.run_id].tensors["weights"][0]))
    return module


LOGITS_NTC = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
TARGETS_NT = torch.tensor([[0, 1, 2], [UNSCORED, 3, 4], [UNSCORED, UNSCORED, 1], [2, UNSCORED, 2]])


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_the_loss_of_an_example_is_the_mean_over_the_answers_that_are_asked_for(loss):
    losses_N = example_losses(LOGITS_NTC, TARGETS_NT, loss)
    for logits_TC, targets_T, value in zip(LOGITS_NTC, TARGETS_NT, losses_N, strict=True):
        asked = [(logits, target) for logits, target in zip(logits_TC, targets_T.tolist(), strict=True) if target >= 0]
        if loss == "mse":
            each = [(logits - torch.eye(5)[target]).square().mean() for logits, target in asked]
        else:
            each = [-logits.log_softmax(0)[target] for logits, target in asked]
        torch.testing.assert_close(value, torch.stack(each).mean())


def test_what_is_not_asked_for_gets_no_gradient():
    logits_NTC = LOGITS_NTC.clone().requires_grad_()
    example_losses(logits_NTC, TARGETS_NT, "cross_entropy").sum().backward()
    assert logits_NTC.grad is not None
    assert ((logits_NTC.grad != 0).any(2) == (TARGETS_NT != UNSCORED)).all()


def test_an_example_is_right_if_all_that_is_asked_for_is():
    logits_NTC = F.one_hot(torch.tensor([[0, 1, 2], [9, 3, 0], [9, 0, 1], [2, 0, 2]]), 10).float()
    scores = correctness(logits_NTC, TARGETS_NT)
    assert scores["accuracy"].tolist() == [1, 0, 1, 1]
    assert scores["token_accuracy"].tolist() == [1, 0.5, 1, 1]
    logits_NTC[0, 0, 0] = float("inf")
    assert correctness(logits_NTC, TARGETS_NT)["accuracy"].tolist() == [0, 0, 1, 1]


def test_the_error_of_numbers_is_the_mean_square_over_the_answers_and_there_is_no_accuracy():
    targets_NT = torch.zeros(4, 15)
    torch.testing.assert_close(example_losses(LOGITS_NTC, targets_NT, "mse"), LOGITS_NTC.square().mean((1, 2)))
    assert correctness(LOGITS_NTC, targets_NT) == {}
    with pytest.raises(SpecError, match="must be 'mse' for a task that asks for numbers, got 'cross_entropy'"):
        run(task=RunningSum())
    with pytest.raises(SpecError, match=r"asks for numbers\. Use 'transformer'"):
        run("gpt2", task=RunningSum(), loss="mse")


@pytest.mark.parametrize("kind", ["transformer", "gpt2"])
def test_only_the_last_positions_are_computed_and_they_are_what_they_are_among_all(kind):
    task = Backwards()
    module = MODELS[kind].build(task, generator("init", 0))
    tokens_NL = task.build(0)["test"].inputs_NL
    x_NLD = module.embed(tokens_NL)
    for layer in (1, 2):
        x_NLD = module.layer(layer, x_NLD, tokens_NL)
    logits_NTC = module(tokens_NL)
    assert logits_NTC.shape == (50, 3, 7)
    torch.testing.assert_close(logits_NTC, module.read(x_NLD)[:, -3:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["transformer", "gpt2"])
def test_an_answer_does_not_see_the_answers_after_it(kind):
    module = MODELS[kind].build(Backwards(), generator("init", 0))
    tokens_NL = Backwards().build(0)["test"].inputs_NL
    changed_NL = tokens_NL.clone()
    changed_NL[:, -1] = (changed_NL[:, -1] + 1) % 5
    logits_NTC, others_NTC = module(tokens_NL), module(changed_NL)
    assert logits_NTC[:, :2].equal(others_NTC[:, :2])
    assert not logits_NTC[:, 2].allclose(others_NTC[:, 2])


@pytest.mark.parametrize("drop", [None, lambda shares: shares * 0.5])
@pytest.mark.parametrize("queries", [1, 4, 7])
def test_attention_by_products_is_attention_by_sums(drop, queries, monkeypatch):
    q, k, v = torch.randn(3, 5, 7, 2, 4, generator=torch.Generator().manual_seed(0))
    tokens_NL = torch.ones(5, 7, dtype=torch.long)
    tokens_NL[2, :3] = 0
    for pad in (None, 0):
        hidden = hidden_positions(tokens_NL, pad, queries)
        sums = attend(q[:, -queries:], k, v, hidden, drop)
        with monkeypatch.context() as patch:
            patch.setitem(PROFILES, "cpu", replace(PROFILES["cpu"], sums_up_to=0))
            torch.testing.assert_close(attend(q[:, -queries:], k, v, hidden, drop), sums)


@pytest.mark.parametrize("kind", MODELS)
def test_losses_and_accuracies_are_those_of_the_module_and_of_greedy_decoding(kind):
    spec = run(kind, seed=1)
    record = trained([spec], 300)
    module, task = module_of(spec, record), spec.task
    for name, (tokens_NL, targets_NT) in task.build(1).items():
        logits_NTC = module(tokens_NL)
        loss = F.cross_entropy(logits_NTC.flatten(0, 1), targets_NT.flatten(), ignore_index=-1, reduction="none")
        asked_NT = targets_NT >= 0
        assert record.series(spec.run_id, name, "loss")[300] == pytest.approx(
            float((loss.view(-1, 3).sum(1) / asked_NT.sum(1)).mean()), rel=1e-4
        )
        right = float((logits_NTC.argmax(2) == targets_NT)[asked_NT].float().mean())
        assert record.series(spec.run_id, name, "token_accuracy")[300] == pytest.approx(right, abs=0.03)
        # Decoding: forget the given answers, and put the model's own in their place, one after the other.
        decoded_NL = tokens_NL.clone()
        for place in (1, 2):
            own_N = module(decoded_NL)[:, place - 1].argmax(1)
            decoded_NL[:, 3 + place] = torch.where(asked_NT[:, place - 1], own_N, decoded_NL[:, 3 + place])
        exact_N = ((module(decoded_NL).argmax(2) == targets_NT) | ~asked_NT).all(1)
        assert record.series(spec.run_id, name, "accuracy")[300] == pytest.approx(float(exact_N.float().mean()))
    assert record.series(spec.run_id, "train", "accuracy")[300] > 0.5
    assert record.series(spec.run_id, "train", "accuracy")[0] < 0.1


def curves(record: Recorded, spec: RunSpec) -> list[float]:
    return list(record.of(spec.run_id).values())


KINDS = {
    "several answers": [run(seed=0), run(seed=1, task=Backwards(data_size=60)), run(seed=2)],
    "several answers, full batch": [run(seed=s, batch_size=None, task=Backwards(data_size=60 + s)) for s in range(3)],
    "several answers, dropout": [run("gpt2, dropout", seed=seed) for seed in range(3)],
    "classes, of vectors": [
        run(task=in_context_classification.Task(points=5, num_tasks=1 + 99 * s, data_size=99, test_size=40), seed=s)
        for s in range(3)
    ],
    "numbers": [numbers(seed) for seed in range(3)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_the_same_alone_and_in_a_pack_and_after_a_stop(kind):
    runs = KINDS[kind]
    whole = trained(runs, 60)
    for spec in runs:
        assert curves(trained([spec], 60), spec) == pytest.approx(curves(whole, spec), rel=1e-3, abs=1e-4)
    before = stopped(runs, 60, 14)
    state = before.flushes[-1].running
    assert state is not None
    assert 0 < state.step < 60
    after = trained(runs, 60, checkpoint=state)
    assert before.values | after.values == whole.values


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_in_chunks_gives_the_same_numbers(kind, monkeypatch):
    spec = KINDS[kind][1]
    whole = trained([spec], 5)
    floats = 7 * spec.model.size(spec.task).floats
    monkeypatch.setitem(PROFILES, "cpu", replace(PROFILES["cpu"], evaluation_floats=floats))
    assert curves(trained([spec], 5), spec) == pytest.approx(curves(whole, spec), rel=1e-5, abs=1e-6)


def test_compiled_is_eager_up_to_rounding():
    runs = KINDS["several answers"][:2]
    eager, compiled = trained(runs, 20), trained(runs, 20, compile="on")
    for spec in runs:
        assert curves(compiled, spec) == pytest.approx(curves(eager, spec), rel=1e-3, abs=1e-3)


def test_numbers_are_learnt_and_have_a_loss_alone():
    spec = numbers()
    record = trained([spec], 400, leave_when_generalized=True, prune=lambda step, accuracies: set(accuracies))
    assert {row[2:] for row in record.values if row[2] != "model"} == {("train", "loss"), ("test", "loss")}
    losses = record.series(spec.run_id, "test", "loss")
    assert losses[400] < 0.5 < 1 < losses[0]
    assert record.states[spec.run_id].stop_reason == "horizon"


def test_a_pack_is_sized_for_all_positions_that_are_read():
    spec = run("gpt2, dropout")
    blocks = 2 * 6 * 16**2 + 3 * 10 * 16**2 + 2 * 3 * 6 * 16  # keys and values of 6 tokens; the rest of 3
    assert run_flops(spec, 10) == 6 * (blocks + 3 * 16 * 7) * 32 * 10


def test_vectors_of_a_single_one_are_tokens():
    table_VD = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    tokens_NL = torch.randint(7, (5, 2), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(lookup(table_VD, F.one_hot(tokens_NL, 7).float()), lookup(table_VD, tokens_NL))
