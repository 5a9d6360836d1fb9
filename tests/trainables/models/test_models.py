"""Models: one run each, drawn from its seed, and the same alone as side by side; attention against torch's own."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import grad, vmap

from study.check import fields
from study.check.case import Case
from study.check.model import checks
from tests.support.runs import mlp_run, trained
from trainables import lookup as lookup_module
from trainables.attention import hidden_positions
from trainables.components import available, load
from trainables.data import Split
from trainables.device import PROFILES
from trainables.errors import SpecError
from trainables.layout import ALIGNMENT, Layout
from trainables.lookup import lookup
from trainables.models import dense, mlp, transformer
from trainables.models.mlp import gromov_weights
from trainables.seeds import generator
from trainables.spec import LOSSES
from trainables.step import example_losses
from trainables.tasks import digits, modular, parities

TASK = modular.Task(p=11)
READS = {"dense": parities.Task(n=12, data_size=80, test_size=80)}
"""The task of a model that does not read pairs of residues."""


@dataclass(frozen=True)
class Sequences:
    """A task of sequences of random tokens, as far as a model reads it."""

    num_answers: int
    vocab_size: int = 7
    num_classes: int = 7
    num_tokens: int = 6
    pad: int | None = None

    def build(self, seed: int) -> dict[str, Split]:
        draw = torch.Generator().manual_seed(seed)
        tokens_NL = torch.randint(self.vocab_size, (40, self.num_tokens), generator=draw)
        return {
            "train": Split(tokens_NL, tokens_NL[:, -self.num_answers :] if self.num_answers > 1 else tokens_NL[:, 0])
        }


SEVERAL, ONE_OF_THEM = Sequences(3), Sequences(1)
VARIANTS = {
    "decoder": [{"width": 9}, {"layers": 1, "width": 16, "dimensions": 3}],
    "dense": [
        {},
        {"width": 7, "activation": "tanh", "init_scale": 3.0},
        {"layers": 3, "width": 16, "activation": "gelu", "init_scale": 0.5},
    ],
    "gpt2": [{"layers": 2, "width": 12, "heads": 3, "init_scale": 5.0, "loops": loops} for loops in (1, 2)],
    "mlp": [{}, {"width": 7, "activation": "relu"}, {"width": 16, "activation": "gelu", "init_scale": 0.5}],
    "transformer": [
        {},
        {"width": 12, "heads": 3, "layers": 2, "norm": "rms", "mlp_ratio": 1.5},
        {"width": 8, "heads": 1, "layers": 3, "norm": "layer"},
        {"width": 12, "heads": 3, "layers": 2, "norm": "rms", "experts": 4},
    ],
}
MODELS = [
    pytest.param(name, options, id=f"{name} {options}")
    for name in available("trainables.models")
    for options in VARIANTS.get(name, [{}])
]


def built(name: str, options: dict[str, Any], seed: int = 0) -> nn.Module:
    model = load("trainables.models", name).Model(**options)
    task = READS.get(name, TASK)
    model.check(task)
    return model.build(task, generator("init", seed))


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_every_model_passes_the_checks_that_a_users_model_gets(name, options):
    model = load("trainables.models", name).Model(**options)
    assert [row for row in fields.checks("model", type(model)) if not row.ok] == []
    for loss in LOSSES:
        assert [row for row in checks(Case(model, READS.get(name, TASK), loss)) if not row.ok] == []
    assert model.layers >= 1
    assert (type(model.layers), type(model.width)) == (int, int)


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_it_reads_as_many_positions_as_a_task_has_answers_or_refuses_the_task(name, options):
    model = load("trainables.models", name).Model(**options)
    rows = list(checks(case := Case(model, SEVERAL)))
    if rows[0].ok is None:
        return
    assert [row for row in rows if not row.ok] == []
    assert case.module()(torch.arange(30).view(5, 6) % 7).shape == (5, 3, 7)
    assert model.size(SEVERAL).floats > model.size(ONE_OF_THEM).floats


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_torchs_losses(loss):
    """Which the checks compare packs by: values and gradients, on the logits of a model at its start."""
    inputs_NL, targets_N = TASK.build(0)["train"]
    logits_NC = built("transformer", {})(inputs_NL).detach().requires_grad_()
    if loss == "mse":
        value = F.mse_loss(logits_NC, F.one_hot(targets_N, TASK.num_classes).float())
    elif loss == "sse":
        value = TASK.num_classes * F.mse_loss(logits_NC, F.one_hot(targets_N, TASK.num_classes).float())
    elif loss == "stablemax":
        shares_NC = torch.where(logits_NC < 0, 1 / (1 - logits_NC), logits_NC + 1)
        value = F.nll_loss((shares_NC / shares_NC.sum(1, keepdim=True)).log(), targets_N)
    else:
        value = F.cross_entropy(logits_NC, targets_N)
    ours = example_losses(logits_NC, targets_N, loss).mean()
    coarser = 1000 if loss == "cross_entropy_16" else 1
    torch.testing.assert_close(ours, value, rtol=1e-5 * coarser, atol=1e-6)
    expected, gradient = (torch.autograd.grad(number, logits_NC)[0] for number in (value, ours))
    torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-6 * coarser)


def test_gromovs_weights_add_without_training(subtests):
    for (p, width), seed in itertools.product([(23, 256), (97, 512)], range(3)):
        with subtests.test(p=p, width=width, seed=seed):
            spec = mlp_run(p=p, width=width, fraction=0.5, learning_rate=0)
            weights = gromov_weights(p, width, generator("gromov", seed))
            a_N, b_N, labels_N = modular.table(p, "add")
            tokens_NL = torch.stack([a_N, b_N, torch.full_like(a_N, p)], dim=1)
            module = spec.model.build(spec.task, generator("init", 0))
            assert (module(tokens_NL).argmax(1) == labels_N).float().mean() < 0.2
            module.load_state_dict(weights)
            assert (module(tokens_NL).argmax(1) == labels_N).all()
            # And as the engine sees it: put in place of the initial weights, looked at after a step of size zero.
            start = trained([spec], horizon=0).left[spec.run_id]
            start.tensors["weights"][0] = Layout(module).flatten(module)
            record = trained([spec], horizon=1, checkpoint=start)
            for split in ("train", "test"):
                assert record.series(spec.run_id, split, "accuracy") == {1: 1.0}
            assert record.series(spec.run_id, "model", "fourier_ipr")[1] > 0.999


def block(**options: Any) -> transformer.Block:
    model = transformer.Model(**{"width": 12, "heads": 3, "norm": "rms", **options})
    return transformer.Block(model, generator("init", 0))


def residual(num: int = 5, length: int = 6, width: int = 12) -> Tensor:
    return torch.randn(num, length, width, generator=torch.Generator().manual_seed(0))


def causal(queries: int) -> Tensor | None:
    return hidden_positions(torch.zeros(5, 6, dtype=torch.long), None, queries)


def test_a_later_token_changes_nothing_earlier(subtests):
    for norm in transformer.NORMS:
        with subtests.test(norm=norm):
            layer, x_NLD = block(norm=norm), residual().requires_grad_()
            for position in range(6):
                (gradient_NLD,) = torch.autograd.grad(layer(x_NLD, 6, causal(6))[:, position].sum(), x_NLD)
                assert (gradient_NLD[:, position + 1 :] == 0).all()
                assert (gradient_NLD[:, : position + 1] != 0).any(2).all()
            changed_NLD = x_NLD.detach().clone()
            changed_NLD[:, 4] += 10
            assert layer(changed_NLD, 6, causal(6))[:, :4].equal(layer(x_NLD.detach(), 6, causal(6))[:, :4])


def test_computing_only_the_last_positions_gives_what_it_gives_among_all(subtests):
    for queries, norm in itertools.product([1, 3], transformer.NORMS):
        with subtests.test(queries=queries, norm=norm):
            layer, x_NLD = block(norm=norm), residual()
            whole_NLD = layer(x_NLD, 6, causal(6))
            torch.testing.assert_close(
                layer(x_NLD, queries, causal(queries)), whole_NLD[:, -queries:], rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("heads", [1, 2, 3, 12])
@pytest.mark.parametrize("queries", [1, 6])
def test_attention_is_torchs_attention(heads, queries):
    layer, x_NLD = block(heads=heads), residual()

    def heads_first(matrix: Tensor) -> Tensor:
        return (x_NLD @ matrix).unflatten(2, (heads, -1)).transpose(1, 2)

    q_NHLK, k_NHLK, v_NHLK = (heads_first(matrix) for matrix in (layer.query, layer.key, layer.value))
    mixed_NHLK = F.scaled_dot_product_attention(q_NHLK, k_NHLK, v_NHLK, is_causal=True)
    expected_NLD = mixed_NHLK.transpose(1, 2).flatten(2) @ layer.output
    mixed_NQD = layer.mix(x_NLD[:, -queries:], x_NLD, causal(queries))
    torch.testing.assert_close(mixed_NQD, expected_NLD[:, -queries:], rtol=1e-4, atol=1e-5)


def test_norms_are_torchs_norms():
    x_NLD, gain_D = 3 * residual() + 1, torch.linspace(0.5, 2, 12)
    expected = {
        "none": x_NLD,
        "rms": F.rms_norm(x_NLD, (12,), gain_D, eps=1e-5),
        "layer": F.layer_norm(x_NLD, (12,), gain_D, None, eps=1e-5),
    }
    for kind in transformer.NORMS:
        norm = transformer.Norm(kind, 12)
        for parameter in norm.parameters():
            parameter.data.copy_(gain_D)
        torch.testing.assert_close(norm(x_NLD), expected[kind], rtol=1e-4, atol=1e-5)


def test_a_transformer_reads_all_tokens_and_their_order():
    module = built("transformer", {"width": 16, "heads": 2})
    logits_NC = module(torch.tensor([[1, 2, 11], [2, 1, 11], [1, 3, 11], [1, 2, 0]]))
    assert len({tuple(row.tolist()) for row in logits_NC}) == 4


def test_an_mlp_reads_two_operands_with_tables_of_their_own():
    module = built("mlp", {"width": 16})
    logits_NC = module(torch.tensor([[1, 2, 11], [2, 1, 11], [1, 2, 0]]))
    assert not logits_NC[0].allclose(logits_NC[1])
    assert logits_NC[0].equal(logits_NC[2])


def test_an_mlp_refuses_a_task_without_operands():
    with pytest.raises(SpecError, match="Use 'transformer'"):
        mlp.Model().check(object())


def test_a_dense_network_is_torchs_own_on_bits_of_minus_one_and_one_and_on_vectors():
    for task in (READS["dense"], digits.Task()):
        module = dense.Model(layers=2, width=9).build(task, generator("init", 0))
        inputs_NL = task.build(0)["train"].inputs_NL
        floats_NI = inputs_NL[:, 0] if inputs_NL.is_floating_point() else torch.where(inputs_NL == 1, 1.0, -1.0)
        sizes = [floats_NI.shape[1], 9, 9, task.num_classes]
        torchs = nn.Sequential(
            *itertools.chain.from_iterable((nn.Linear(*pair), nn.ReLU()) for pair in itertools.pairwise(sizes))
        )[:-1]
        linears = [layer for layer in torchs if isinstance(layer, nn.Linear)]
        for name, linear in zip(("hidden_1", "hidden_2", "unembedding"), linears, strict=True):
            linear.weight.data.copy_(module.get_parameter(name).T)
            linear.bias.data.copy_(module.get_parameter(f"{name}_bias"))
        torch.testing.assert_close(module(inputs_NL), torchs(floats_NI), rtol=1e-4, atol=1e-5)


def test_a_dense_network_starts_as_torchs_linear_layers_do_times_the_scale():
    module = dense.Model(layers=2, width=400, init_scale=3.0).build(digits.Task(), generator("init", 0))
    for name, parameter in module.named_parameters():
        linear = nn.Linear(64 if name.startswith("hidden_1") else 400, 400)  # its bound follows from its inputs alone
        assert parameter.abs().max().item() <= 3 * linear.in_features**-0.5
        if parameter.numel() >= 400:
            torchs = linear.bias if name.endswith("bias") else linear.weight
            assert parameter.std().item() == pytest.approx(3 * torchs.std().item(), rel=0.1)


def test_the_scale_of_a_dense_network_is_a_factor_on_the_same_weights():
    one, three = (dense.Model(init_scale=s).build(digits.Task(), generator("init", 5)) for s in (1.0, 3.0))
    for name, weight in one.named_parameters():
        torch.testing.assert_close(three.get_parameter(name), 3 * weight)


def test_a_dense_network_refuses_other_tokens_and_several_answers():
    with pytest.raises(SpecError, match="reads bits or vectors"):
        dense.Model().check(TASK)
    with pytest.raises(SpecError, match="gives one answer"):
        dense.Model().check(Sequences(3, vocab_size=2))


def test_models_of_no_width_are_refused(subtests):
    for kind in [dense.Model, mlp.Model, transformer.Model]:
        with subtests.test(kind=kind), pytest.raises(SpecError, match="width must be 1 or larger, got 0"):
            kind(width=0)


def test_an_mlp_that_cannot_learn_is_refused(subtests):
    for name, values in itertools.product(
        ("dense", "mlp"), [{"activation": "squared"}, {"init_scale": 0.0}, {"init_scale": -1.0}]
    ):
        message = rf"^{name}\.{next(iter(values))} "
        with subtests.test(name=name, values=values), pytest.raises(SpecError, match=message):
            load("trainables.models", name).Model(**values)


def test_initial_weights_have_the_published_sizes():
    module = built("mlp", {"width": 400, "init_scale": 2.0})
    for parameter in module.parameters():
        assert parameter.std().item() == pytest.approx(2 * (16 * 400) ** (-1 / 3), rel=0.05)
    module = built("transformer", {"width": 64})
    for name, fan_in in (("embedding", 64), ("unembedding", 64), ("blocks.0.mlp_in", 64), ("blocks.0.mlp_out", 256)):
        assert module.get_parameter(name).std().item() == pytest.approx(fan_in**-0.5, rel=0.1)


def test_a_one_hot_product_looks_up_the_same_rows_and_gradients(monkeypatch):
    table_RVD = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0))
    tokens_RNL = torch.randint(7, (3, 5, 2), generator=torch.Generator().manual_seed(1))
    upstream_NLD = torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(2))

    def scalar(table_VD: Tensor, tokens_NL: Tensor) -> Tensor:
        return (lookup(table_VD, tokens_NL) * upstream_NLD).sum()

    indexed = vmap(lookup)(table_RVD, tokens_RNL), vmap(grad(scalar))(table_RVD, tokens_RNL)
    assert indexed[0].equal(torch.stack([table[tokens] for table, tokens in zip(table_RVD, tokens_RNL, strict=True)]))
    calls: list[bool] = []
    monkeypatch.setattr(lookup_module.torch.compiler, "is_compiling", lambda: calls.append(True) or True)
    multiplied = vmap(lookup)(table_RVD, tokens_RNL), vmap(grad(scalar))(table_RVD, tokens_RNL)
    assert calls
    torch.testing.assert_close(multiplied, indexed)
    monkeypatch.setitem(PROFILES, "cpu", replace(PROFILES["cpu"], one_hot_limit=6))
    assert lookup(table_RVD[0], tokens_RNL[0]).equal(indexed[0][0])


def test_the_rows_of_several_tokens_are_added_up_to_the_bit(monkeypatch: pytest.MonkeyPatch):
    table_VD = torch.randn(11, 5, generator=torch.Generator().manual_seed(2))
    left_N, right_N = torch.arange(11), torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5])
    indexed = lookup(table_VD, left_N, right_N)
    assert indexed.equal(table_VD[left_N] + table_VD[right_N])
    monkeypatch.setattr(lookup_module.torch.compiler, "is_compiling", lambda: True)
    assert lookup(table_VD, left_N, right_N).equal(indexed)
    # The limit is that of one token's table: here 11 rows are those of two tokens.
    asked = []
    real = lookup_module.torch.arange
    monkeypatch.setattr(lookup_module.torch, "arange", lambda *args, **how: asked.append(args) or real(*args, **how))
    for limit, multiplies in ((6, True), (5, False)):
        monkeypatch.setitem(PROFILES, "cpu", replace(PROFILES["cpu"], one_hot_limit=limit))
        asked.clear()
        assert lookup(table_VD, left_N, right_N).equal(indexed)
        assert bool(asked) == multiplies


def test_a_vector_holds_every_parameter_once_on_aligned_places_with_zeros_between():
    module = built("transformer", VARIANTS["transformer"][1])
    layout = Layout(module)
    vector_W = layout.flatten(module)
    assert layout.width == len(vector_W)
    assert all(slot.start % ALIGNMENT == 0 for slot in layout.slots)
    for name, parameter in module.named_parameters():
        assert layout.named(vector_W)[name].equal(parameter)
    for view in layout.named(vector_W).values():
        view.zero_()
    assert (vector_W == 0).all()
    matrix_RW = torch.stack([layout.flatten(built("transformer", VARIANTS["transformer"][1], s)) for s in range(2)])
    for slot in layout.slots:
        assert layout.stacked(matrix_RW, slot)[1].equal(layout.named(matrix_RW[1])[slot.name])
