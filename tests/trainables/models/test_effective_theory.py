"""Liu's toy: the examples and parallelograms of integer addition, the decoder, its two rates, and RQI."""

import itertools
import math

import pytest
import torch
from torch import nn

from tests.support.runs import trained
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.models import decoder
from trainables.optimizers import two_rates
from trainables.probes import rqi
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import emergence, integer_addition

TASK = integer_addition.Task()


def test_the_papers_counts_are_the_default():
    splits = TASK.build(0)
    assert [len(splits[name].targets_N) for name in ("train", "test")] == [45, 10]
    pairs = [
        (a, b, c) for s in splits.values() for (a, b), c in zip(s.inputs_NL.tolist(), s.targets_N.tolist(), strict=True)
    ]
    assert sorted(pairs) == [(a, b, a + b) for a in range(10) for b in range(a, 10)]
    assert TASK.chance_accuracy == pytest.approx(5 / 55)


def test_parallelograms_are_all_pairs_of_different_pairs_with_one_sum(subtests):
    for p in [2, 3, 4, 7, 10]:
        with subtests.test(p=p):
            expected = set()
            for (i, n), (j, m) in itertools.product(itertools.combinations_with_replacement(range(p), 2), repeat=2):
                if i < j <= m < n and i + n == j + m:
                    expected.add((i, n, j, m))
            found = [tuple(row) for row in integer_addition.Task(p=p).parallelograms().tolist()]
            assert len(found) == len(set(found))
            assert set(found) == expected


def quality(embedding: torch.Tensor) -> float:
    return rqi.measure({"embedding": embedding}, integer_addition.Task(p=len(embedding)))["rqi"].item()


def test_a_line_has_all_parallelograms_and_a_shuffled_one_few():
    line = torch.linspace(-3, 5, 10)[:, None]
    assert quality(line) == quality(torch.cat([line, -2 * line], 1)) == 1
    assert quality(torch.arange(4.0)[torch.tensor([0, 2, 1, 3])][:, None]) == pytest.approx(
        1 / 3
    )  # 0 + 3 = 1 + 2 alone
    assert quality(torch.rand(10, 1, generator=torch.Generator().manual_seed(0))) < 0.3


def test_nearly_parallel_is_parallel_up_to_the_authors_threshold():
    scale = torch.arange(3.0).std()  # deviation of E_0 + E_2 - 2 E_1, in standard deviations
    for size, expected in ((0.09, 1.0), (0.11, 0.0)):
        bent = torch.arange(3.0)[:, None]
        bent[1] -= size * scale / 2
        assert quality(bent) == expected


def test_a_decoder_is_torchs_mlp_on_the_sum_of_two_embeddings():
    module = decoder.Model(width=7, dimensions=2).build(TASK, generator("init", 0))
    weights = module.state_dict()
    layers = [nn.Linear(2, 7), nn.Linear(7, 7), nn.Linear(7, 19)]
    names = ["hidden_1", "hidden_2", "unembedding"]
    assert [slot.name for slot in Layout(module).slots] == [
        "embedding", *names, "biases.0", "biases.1", "biases.2",
    ], "the order of checkpoints"  # fmt: skip
    for i, (name, layer) in enumerate(zip(names, layers, strict=True)):
        assert weights[name].abs().max() <= 1 / math.sqrt(layer.in_features)
        layer.load_state_dict({"weight": weights[name].T, "bias": weights[f"biases.{i}"]})
    tokens_NL, _ = TASK.build(0)["train"]
    sums_NE = weights["embedding"][tokens_NL].sum(1)
    expected = layers[2](torch.tanh(layers[1](torch.tanh(layers[0](sums_NE)))))
    torch.testing.assert_close(module(tokens_NL), expected)


def test_a_good_line_answers_what_was_not_trained_on_and_rates_of_zero_leave_their_part_alone():
    base = RunSpec(
        task=TASK,
        model=decoder.Model(width=30),
        optimizer=two_rates.Optimizer(learning_rate=0.01, representation_rate=0.01, representation_decay=0.1),
    )
    changes = [{}, {"optimizer.representation_rate": 0.0}, {"optimizer.learning_rate": 0.0}]
    runs = [base.with_values(change) for change in changes]
    start = trained(runs, 0)
    after = trained(runs, 50)
    for run, moves in zip(runs, ((True, True), (False, True), (True, False)), strict=True):
        before_W, after_W = (record.left[run.run_id].tensors["weights"][0] for record in (start, after))
        changed_W = before_W != after_W
        assert (bool(changed_W[:10].any()), bool(changed_W[16:].any())) == moves
        assert 0 <= after.series(run.run_id, "model", "rqi")[50] <= 1


def test_sizes_of_nothing_and_tasks_with_more_than_two_operands_are_refused():
    with pytest.raises(SpecError, match=r"^decoder\.dimensions must be 1 or larger, got 0\.$"):
        decoder.Model(dimensions=0)
    with pytest.raises(SpecError, match=r"^model 'decoder' reads only two operands"):
        decoder.Model().check(emergence.Task())
    with pytest.raises(SpecError, match=r"^integer_addition\.p must be in \[2, 512\], got 1\.$"):
        integer_addition.Task(p=1)
