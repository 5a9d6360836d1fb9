"""GPT-2 against torch's own pieces; dropout that is the same alone and in company; precision."""

# N examples, L tokens, D width, C classes

import dataclasses
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import vmap

from tests.support.runs import trained
from trainables.compiler import Compiling
from trainables.dropout import dropout, scramble
from trainables.errors import SpecError
from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.pack import Pack
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import composition

PAD = 12
TOKENS = SimpleNamespace(vocab_size=13, num_classes=13, num_tokens=5, pad=PAD)
"""All that a model needs to know of a task."""
TASK = composition.Task(entities=20, relations=6, out_degree=3, ratio=1.5, test_fraction=0.1, ood_fraction=0.3)


def built(task: Any = TOKENS, seed: int = 0, **options: Any) -> gpt2.GPT2:
    """With weights large enough that attention and biases matter."""
    model = gpt2.Model(**{"layers": 2, "width": 12, "heads": 3, "init_scale": 10.0, **options})
    module = model.build(task, generator("init", seed))
    draw = generator("biases", seed)
    for parameter in module.parameters():
        if parameter.ndim == 1:
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=draw)
    return module  # pyright: ignore[reportReturnType]


def examples(num: int = 7, length: int = 5) -> Tensor:
    return torch.randint(PAD, (num, length), generator=torch.Generator().manual_seed(0))


def reference(module: gpt2.GPT2, tokens_NL: Tensor, heads: int, loops: int) -> Tensor:
    """The logits (N, C) by torch's layers, every block at every position."""
    w = dict(module.named_parameters())
    x_NLD = F.embedding(tokens_NL, w["embedding"]) + w["positions"][: tokens_NL.shape[1]]
    width = x_NLD.shape[-1]

    def norm(x_NLD: Tensor, name: str) -> Tensor:
        return F.layer_norm(x_NLD, (width,), w[f"{name}.gain"], w[f"{name}.bias"], eps=1e-5)

    def linear(x_NLD: Tensor, name: str) -> Tensor:
        return F.linear(x_NLD, w[name].T, w[f"{name}_bias"])

    for at in [f"blocks.{i}" for i in range(len(module.blocks))] * loops:
        thirds = linear(norm(x_NLD, f"{at}.attention_norm"), f"{at}.query_key_value").split(width, dim=2)
        q, k, v = (third.unflatten(2, (heads, -1)).transpose(1, 2) for third in thirds)
        mixed_NLD = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x_NLD = x_NLD + linear(mixed_NLD, f"{at}.output")
        inner_NLE = F.gelu(linear(norm(x_NLD, f"{at}.mlp_norm"), f"{at}.mlp_in"), approximate="tanh")
        x_NLD = x_NLD + linear(inner_NLE, f"{at}.mlp_out")
    return F.linear(norm(x_NLD, "norm")[:, -1], w["embedding"][: module.num_classes])


def test_the_model_is_torchs_layers_put_together(subtests):
    for loops, heads, layers in itertools.product([1, 2], [1, 3], [1, 3]):
        with subtests.test(loops=loops, heads=heads, layers=layers):
            module = built(layers=layers, heads=heads, loops=loops, dropout=0.0)
            expected_NC = reference(module, examples(), heads, loops)
            assert expected_NC.std() > 0.5
            torch.testing.assert_close(module(examples()), expected_NC, rtol=1e-5, atol=1e-5)


def test_gradients_are_those_of_torchs_layers():
    module, targets_N = built(loops=2), torch.arange(7)
    expected = torch.autograd.grad(
        F.cross_entropy(reference(module, examples(), 3, 2), targets_N), list(module.parameters())
    )
    found = torch.autograd.grad(F.cross_entropy(module(examples()), targets_N), list(module.parameters()))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_task_may_have_fewer_answers_than_tokens_and_not_more():
    module = built(SimpleNamespace(**vars(TOKENS) | {"num_classes": 4}))
    assert module(examples()).shape == (7, 4)
    torch.testing.assert_close(module(examples()), built()(examples())[:, :4])
    with pytest.raises(SpecError, match="has more classes than tokens"):
        gpt2.Model().check(SimpleNamespace(**vars(TOKENS) | {"num_classes": 14}))


def test_padding_changes_nothing(subtests):
    for length, loops in itertools.product([1, 2, 4], [1, 2]):
        with subtests.test(length=length, loops=loops):
            module, tokens_NL = built(loops=loops), examples(length=length)
            padded_NL = torch.cat([torch.full((7, 5 - length), PAD), tokens_NL], dim=1)
            torch.testing.assert_close(module(padded_NL), module(tokens_NL), rtol=1e-5, atol=1e-5)
            mixed_NL = torch.cat([padded_NL, examples()])
            torch.testing.assert_close(module(mixed_NL)[:7], module(tokens_NL), rtol=1e-5, atol=1e-5)


def test_padding_makes_no_gradient_nan_and_gets_none():
    module, tokens_NL = built(), torch.cat([torch.full((7, 3), PAD), examples(length=2)], dim=1)
    logits_NC = module(tokens_NL)
    F.cross_entropy(logits_NC[:, :PAD], torch.arange(7)).backward()
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters())
    assert (module.embedding.grad[PAD] == 0).all()
    assert (module.positions.grad[2:] == 0).all()


@pytest.mark.parametrize("loops", [1, 2])
def test_reading_the_last_layer_of_the_residual_stream_is_the_forward_pass(loops):
    module = built(loops=loops)
    assert module.depth == 2 * loops
    tokens_NL = torch.cat([torch.full((7, 2), PAD), examples(length=3)], dim=1)
    for some_NL in (examples(), tokens_NL):
        x_NLD = module.embed(some_NL)
        for layer in range(1, module.depth + 1):
            x_NLD = module.layer(layer, x_NLD, some_NL)
        torch.testing.assert_close(module.read(x_NLD)[:, -1], module(some_NL), rtol=1e-5, atol=1e-5)


def test_loops_share_the_weights_of_the_stack():
    once, twice = built(layers=4), built(layers=4, loops=2)
    assert [p.shape for p in once.parameters()] == [p.shape for p in twice.parameters()]
    assert twice.block(1) is twice.block(5)
    assert twice.block(4) is twice.block(8)
    assert not torch.allclose(once(examples()), twice(examples()))


def test_the_papers_model_has_59_million_weights(monkeypatch):
    monkeypatch.setattr(gpt2, "normal", lambda draw, sd, *shape: torch.nn.Parameter(torch.empty(shape, device="meta")))
    module = gpt2.Model().build(composition.Task(), generator("init", 0))
    num_params = sum(parameter.numel() for parameter in module.parameters())
    assert num_params == 8 * (12 * 768**2 + 13 * 768) + (2206 + 3 + 2) * 768
    assert num_params + 1021 * 768 == pytest.approx(59.2e6, rel=1e-3)  # GPT-2 has 1,024 positions, of which 3 are used


def test_initial_weights_are_gpt2s():
    layers, width = 3, 96
    model = gpt2.Model(layers=layers, width=width, heads=2, loops=2)
    module = model.build(SimpleNamespace(**vars(TOKENS) | {"vocab_size": 300, "num_tokens": 50}), generator("init", 0))
    residual = 0.02 / (2 * layers) ** 0.5  # loops add no weights, and the published code does not count them
    for name, parameter in module.named_parameters():
        if parameter.ndim == 1:
            assert (parameter == (1 if name.endswith("gain") else 0)).all(), name
        else:
            sd = residual if name.endswith((".output", ".mlp_out")) else 0.02
            assert parameter.std().item() == pytest.approx(sd, rel=0.05), name
            assert abs(parameter.mean().item()) < 5 * sd / parameter.numel() ** 0.5, name
    twice = dataclasses.replace(model, init_scale=2.0).build(TOKENS, generator("init", 0))
    assert twice.embedding.equal(2 * model.build(TOKENS, generator("init", 0)).embedding)


def test_models_that_cannot_be_are_refused(subtests):
    for values in [
        {"layers": 0},
        {"width": 0},
        {"heads": 5},
        {"loops": 0},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"init_scale": 0.0},
    ]:
        with subtests.test(values=values):
            (field,) = values
            with pytest.raises(SpecError, match=rf"^gpt2\.{field} .*{values[field]}"):
                gpt2.Model(**values)


# Dropout.


def mask(rate: float, key: int, place: int = 0, size: int = 40_000) -> Tensor:
    return dropout(torch.ones(size), rate, torch.tensor(key), place) == 0


def test_as_many_elements_are_dropped_as_should_be(subtests):
    for rate, key in itertools.product([0.01, 0.1, 0.5, 0.9], [0, 1, 2**31, 2**32 - 1]):
        with subtests.test(rate=rate, key=key):
            expected, sd = 40_000 * rate, (40_000 * rate * (1 - rate)) ** 0.5
            dropped = mask(rate, key)
            assert abs(dropped.sum().item() - expected) < 4.5 * sd
            # Neighbours, rows and columns are independent.
            for shift in (1, 2, 16, 200):
                pairs = (dropped[shift:] & dropped[:-shift]).sum().item()
                assert abs(pairs - rate**2 * (40_000 - shift)) < 6 * (40_000 * rate**2) ** 0.5 + 1


def test_masks_of_other_keys_and_places_are_independent():
    masks = [mask(0.5, key, place) for key in (0, 1, 7, 2**20) for place in (0, 1, 2, 24)]
    for i, one in enumerate(masks):
        for other in masks[:i]:
            assert abs((one == other).sum().item() - 20_000) < 5.5 * 100  # standard deviation 100


def test_what_stays_is_scaled_so_that_the_mean_stays():
    x = torch.linspace(1, 2, 1000)
    total = sum(dropout(x, 0.3, torch.tensor(key), 3) for key in range(2000))
    assert isinstance(total, Tensor)
    torch.testing.assert_close(total / 2000, x, rtol=0.08, atol=0)  # standard deviation 0.015 each
    assert (total / 2000 / x).mean().item() == pytest.approx(1, abs=2e-3)
    dropped = dropout(x, 0.3, torch.tensor(1), 3)
    assert ((dropped == 0) | (dropped == x / 0.7)).all()
    assert dropout(x.bfloat16(), 0.3, torch.tensor(1), 3).dtype == torch.bfloat16


def test_a_hash_is_the_published_one_never_the_same_for_two_inputs_and_uniform():
    hashed = scramble(torch.arange(2**18))
    assert len(hashed.unique()) == 2**18
    counts = torch.bincount(hashed >> 24)
    assert len(counts) == 256
    assert ((counts - 1024).abs() < 5 * 32).all()  # standard deviation 32
    for x in (0, 1, 12345, 2**31, 2**32 - 1):
        assert scramble(torch.tensor(x)).item() == scramble(torch.tensor(x + 2**32)).item() == lowbias32(x)


def lowbias32(x: int) -> int:
    """As published, in whole numbers that do not overflow."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    return x ^ (x >> 16)


def test_dropout_is_the_same_alone_and_side_by_side():
    x_RND, keys_R = torch.randn(4, 5, 6), torch.tensor([0, 3, 2**31 + 5, 3])
    packed_RND = vmap(lambda x_ND, key: dropout(x_ND, 0.4, key, 2))(x_RND, keys_R)
    for run in range(4):
        assert packed_RND[run].equal(dropout(x_RND[run], 0.4, keys_R[run], 2))
    assert (packed_RND[1] == 0).equal(packed_RND[3] == 0)


def test_without_a_key_or_a_rate_nothing_is_dropped():
    x = torch.randn(10)
    assert dropout(x, 0.5, None, 0) is x
    assert dropout(x, 0.0, torch.tensor(1), 0) is x
    module = built(dropout=0.5)
    assert module(examples()).equal(built(dropout=0.0)(examples()))
    assert not module(examples(), torch.tensor(1)).allclose(module(examples()))


def test_every_place_of_the_model_drops_and_no_two_share_a_mask(monkeypatch):
    places = []
    monkeypatch.setattr(gpt2, "dropout", lambda x, rate, key, place: places.append(place) or x)
    built(layers=2, loops=2)(examples(), torch.tensor(1))
    assert len(places) == len(set(places)) == 1 + 3 * 4  # the embedding; attention and what it and the MLP add


# Training.


def run(seed: int = 0, precision: str = "float32", task: composition.Task = TASK, **model: Any) -> RunSpec:
    return RunSpec(
        task=task,
        model=gpt2.Model(**{"layers": 2, "width": 16, "heads": 2, "dropout": 0.2, "init_scale": 5.0, **model}),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.1, clip_norm=1.0, decay_vectors=False),
        batch_size=16,
        seed=seed,
        precision=precision,
    )


def test_keys_of_dropout_differ_by_run_and_step(monkeypatch):
    pack = Pack([run(seed) for seed in range(3)], torch.device("cpu"), Compiling("off"))
    keys = []
    monkeypatch.setattr(pack, "train_step", lambda *arguments: keys.append(arguments[-1].clone()))
    pack.train(5)
    assert len(torch.cat(keys).unique()) == 15
    again = Pack([run(2), run(0)], torch.device("cpu"), Compiling("off"))
    monkeypatch.setattr(again, "train_step", lambda *arguments: keys.append(arguments[-1].clone()))
    again.train(1)
    assert keys[-1].equal(keys[0][[2, 0]])


@pytest.mark.parametrize("loops", [1, 2])
def test_a_run_with_dropout_trains_the_same_alone_and_in_a_pack(loops):
    # Other numbers of examples too: the ratio may differ within a pack.
    runs = [run(seed, task=dataclasses.replace(TASK, ratio=1.5 - 0.2 * seed), loops=loops) for seed in range(4)]
    packed = trained(runs, 12)
    for spec in (runs[0], runs[2]):
        alone = trained([spec], 12)
        for split in ("train", "test", "ood"):
            a, b = (record.series(spec.run_id, split, "loss") for record in (alone, packed))
            assert list(a) == list(b)
            assert list(a.values()) == pytest.approx(list(b.values()), rel=1e-5, abs=1e-5)
        weights = [record.left[spec.run_id].tensors["weights"] for record in (alone, packed)]
        torch.testing.assert_close(*weights, rtol=1e-3, atol=1e-4)
    without = trained([dataclasses.replace(runs[0], model=dataclasses.replace(runs[0].model, dropout=0.0))], 12)
    a = packed.series(runs[0].run_id, "train", "loss")
    b = without.series(next(iter(without.states)), "train", "loss")
    assert a[0] == pytest.approx(b[0], rel=1e-6)  # none at evaluation
    assert abs(a[12] - b[12]) > 1e-3


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_with_dropout_goes_on_bit_for_bit(precision):
    spec = run(precision=precision)
    whole, half = trained([spec], 20), trained([spec], 9)
    rest = trained([spec], 20, checkpoint=half.left[spec.run_id])
    for name, tensor in whole.left[spec.run_id].tensors.items():
        assert tensor.equal(rest.left[spec.run_id].tensors[name]), name
    assert rest.series(spec.run_id, "train", "loss")[20] == whole.series(spec.run_id, "train", "loss")[20]


def test_bfloat16_trains_float32_weights():
    records = {precision: trained([run(precision=precision)], 60) for precision in ("float32", "bfloat16")}
    (wide, narrow) = (record.series(next(iter(record.left)), "train", "loss") for record in records.values())
    assert list(wide) == list(narrow)
    for step in (0, 1):
        assert narrow[step] == pytest.approx(wide[step], rel=0.02)
        assert narrow[step] != wide[step]
    assert narrow[60] < 0.8 * narrow[0]
    (state,) = records["bfloat16"].left.values()
    assert all(state.tensors[name].dtype == torch.float32 for name in ("weights", "first_moment", "second_moment"))
    weights_W = state.tensors["weights"]
    assert not weights_W.equal(weights_W.bfloat16().float())
    assert run(precision="bfloat16").run_id != run().run_id
    assert run(precision="bfloat16").pack_key != run().pack_key
