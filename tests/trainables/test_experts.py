"""A mixture of experts: the MLP where there is one expert, otherwise the chosen ones and nothing else."""

import pytest
import torch
import torch.nn.functional as F

from tests.support.runs import trained
from trainables import experts
from trainables.errors import SpecError
from trainables.experts import BLOCK, by_expert, computed_where_chosen, fill_blocks, placed, routed
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import modular

TASK = modular.Task(p=7)
OPTIONS = {"layers": 2, "width": 8, "heads": 2, "norm": "rms"}


def model(**options) -> transformer.Model:
    return transformer.Model(**OPTIONS | options)


def block(experts: int, chosen: int) -> transformer.Block:
    return transformer.Block(model(experts=experts, experts_per_token=chosen), generator("init", 0))


def states() -> torch.Tensor:
    return torch.randn(5, 3, 8, generator=torch.Generator().manual_seed(0))


def test_one_expert_is_the_mlp():
    inputs_NL = TASK.build(0)["train"].inputs_NL
    dense = model().build(TASK, generator("init", 0))
    mixture = model(experts=1, experts_per_token=1).build(TASK, generator("init", 1))
    missing = mixture.load_state_dict(dense.state_dict(), strict=False)
    assert missing.missing_keys == ["blocks.0.router.weight", "blocks.1.router.weight"]
    assert mixture(inputs_NL).equal(dense(inputs_NL))


@pytest.mark.parametrize("chosen", [1, 2, 3, 4])
def test_exactly_so_many_experts_are_kept_and_they_are_those_with_the_largest_shares(chosen):
    share_NQK = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(1)).softmax(-1)
    share_NQK[0, 0] = 0.25  # a tie
    gate_NQKU = routed(torch.ones(6, 5, 12), share_NQK, chosen).unflatten(-1, (4, 3))
    assert (gate_NQKU == gate_NQKU[..., :1]).all()
    gate_NQK = gate_NQKU[..., 0]
    assert ((gate_NQK > 0).sum(-1) == chosen).all()
    assert gate_NQK.sort().values[..., -chosen:].equal(share_NQK.sort().values[..., -chosen:])
    assert (gate_NQK[gate_NQK > 0] == share_NQK[gate_NQK > 0]).all()


def test_a_mixture_is_the_sum_of_the_chosen_experts_times_their_shares():
    layer, x_NLD = block(experts=4, chosen=2), states()
    assert layer.router is not None
    mixed_NLD = x_NLD + layer.mix(layer.attention_norm(x_NLD), layer.attention_norm(x_NLD), None)
    normed_NLD = layer.mlp_norm(mixed_NLD)
    expected_NLD = mixed_NLD.clone()
    for n in range(5):
        for position in range(3):
            x_D = normed_NLD[n, position]
            share_K = (x_D @ layer.router.weight).softmax(0)
            for k in share_K.argsort(descending=True)[:2].tolist():
                units = slice(8 * k, 8 * (k + 1))
                hidden_U = F.relu(x_D @ layer.mlp_in[:, units])
                expected_NLD[n, position] += share_K[k] * (hidden_U @ layer.mlp_out[units])
    torch.testing.assert_close(layer(x_NLD, 3, None), expected_NLD)


def test_an_expert_that_is_not_chosen_learns_nothing():
    layer = block(experts=4, chosen=1)
    assert layer.router is not None
    layer.router.weight.data.zero_()
    layer.router.weight.data[:, 2] = 10  # of a sum that is positive or negative: chosen first or last
    x_NLD = states().abs()
    layer.mlp_norm = torch.nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
    layer.output.data.zero_()
    layer(x_NLD, 3, None).sum().backward()
    assert layer.mlp_in.grad is not None
    learns_K = layer.mlp_in.grad.unflatten(1, (4, 8)).ne(0).any(2).any(0)
    assert learns_K.tolist() == [False, False, True, False]


def test_a_mixture_has_the_weights_of_the_mlp_and_the_routers_and_keeps_more_floats():
    dense, mixture = (model(experts=k).build(TASK, generator("init", 0)) for k in (0, 4))
    count = {name: sum(p.numel() for p in m.parameters()) for name, m in (("dense", dense), ("mixture", mixture))}
    assert count["mixture"] - count["dense"] == 2 * 8 * 4
    assert model(experts=4).size(TASK).floats > model().size(TASK).floats


def test_in_bfloat16_a_mixture_is_itself_rounded():
    inputs_NL = TASK.build(0)["train"].inputs_NL
    mixture = model(experts=4, experts_per_token=4).build(TASK, generator("init", 0))  # rounding changes no choice
    expected_NC = mixture(inputs_NL)
    rounded_NC = mixture.to(torch.bfloat16)(inputs_NL)
    assert rounded_NC.dtype == torch.bfloat16
    torch.testing.assert_close(rounded_NC.float(), expected_NC, rtol=0.1, atol=0.1)


def runs_with_experts() -> list[RunSpec]:
    return [
        RunSpec(
            task=modular.Task(p=7, train_fraction=0.4 + 0.1 * seed),
            model=model(experts=4, experts_per_token=1),
            optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=float(seed)),
            batch_size=8,
            seed=seed,
        )
        for seed in range(3)
    ]


def test_a_pack_of_mixtures_trains_each_run_as_if_it_were_alone():
    specs = runs_with_experts()
    together = trained(specs, horizon=40)
    alone = trained(specs[2:], horizon=40)
    ours, theirs = (record.series(specs[2].run_id, "train", "loss") for record in (together, alone))
    assert ours.keys() == theirs.keys()
    assert list(ours.values()) == pytest.approx(list(theirs.values()), rel=1e-4)
    assert ours[40] < ours[0]


@pytest.mark.slow
def test_a_compiled_mixture_trains_as_an_eager_one():
    specs = runs_with_experts()
    eager, compiled = trained(specs, horizon=20), trained(specs, horizon=20, compile="on")
    assert eager.values.keys() == compiled.values.keys()
    for spec in specs:
        ours, theirs = (list(record.series(spec.run_id, "train", "loss").values()) for record in (eager, compiled))
        assert ours == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize(("num_tokens", "num_experts", "chosen"), [(1, 4, 1), (300, 4, 2), (515, 16, 4), (700, 8, 8)])
def test_every_block_has_one_expert_and_every_choice_a_place_of_its_own(num_tokens, num_experts, chosen):
    draw = torch.Generator().manual_seed(num_tokens)
    expert_A = torch.rand(num_tokens, num_experts, generator=draw).topk(chosen).indices.flatten()
    for of_choices in (expert_A, torch.zeros_like(expert_A), expert_A.sort().values):
        place_A, expert_B = placed(of_choices, num_experts)
        assert len(place_A.unique()) == len(of_choices)
        assert 0 <= place_A.min() <= place_A.max() < len(expert_B) * BLOCK
        assert (expert_B[place_A // BLOCK] == of_choices).all()


@pytest.mark.parametrize("chosen", [1, 2, 4])
def test_experts_that_are_computed_where_they_are_chosen_give_the_same_and_learn_the_same(chosen):
    draw = torch.Generator().manual_seed(chosen)
    x_NQD, into_DU, out_UD = (torch.randn(*size, generator=draw) for size in ((90, 3, 16), (16, 64), (64, 16)))
    share_NQK = torch.randn(90, 3, 8, generator=draw).softmax(-1)
    share_NQK[:40, :, 3] += 1  # one is chosen often, and fills a block
    found = []
    for way in ("all", "chosen"):
        given = [each.clone().requires_grad_() for each in (x_NQD, into_DU, out_UD, share_NQK)]
        x, into, out, share = given
        if way == "all":
            made_NQD = routed(F.relu(x @ into), share, chosen) @ out
        else:
            made_NQD = by_expert(x, into, out, share, chosen)
        made_NQD.square().sum().backward()
        found.append([made_NQD.detach(), *(each.grad for each in given)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_large_experts_of_which_few_are_chosen_are_computed_where_they_are(monkeypatch):
    assert computed_where_chosen(384, 12288, experts=8, chosen=2), "pathways_paper"
    assert not computed_where_chosen(32, 128, experts=8, chosen=2), "pathways"
    assert not computed_where_chosen(384, 12288, experts=8, chosen=4)
    assert fill_blocks(512, experts=8, chosen=2)
    assert not fill_blocks(511, experts=8, chosen=2), "more than half of the places would be empty"
    specs = runs_with_experts()
    plain = trained(specs, horizon=40)
    monkeypatch.setattr(experts, "LARGE", 0)
    few_fill = trained(specs, horizon=40)
    assert few_fill.values == plain.values, "24 tokens, of blocks of 128"
    monkeypatch.setattr(experts, "BLOCK", 4)
    assert specs[0].model.where_chosen
    sorted_tokens = trained(specs, horizon=40)
    for spec in specs:
        one, other = (list(r.series(spec.run_id, "train", "loss").values()) for r in (plain, sorted_tokens))
        assert one == pytest.approx(other, rel=1e-3)
        assert one != other, "it has taken the other way"


@pytest.mark.slow
def test_experts_where_they_are_chosen_can_be_compiled(monkeypatch):
    monkeypatch.setattr(experts, "LARGE", 0)
    monkeypatch.setattr(experts, "BLOCK", 4)
    specs = runs_with_experts()
    eager, compiled = trained(specs, horizon=20), trained(specs, horizon=20, compile="on")
    for spec in specs:
        ours, theirs = (list(record.series(spec.run_id, "train", "loss").values()) for record in (eager, compiled))
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_mixtures_that_cannot_be_are_refused(subtests):
    for options, message in [
        ({"experts": -1}, r"experts must be 0 or larger, got -1"),
        ({"experts": 2, "experts_per_token": 3}, r"experts_per_token must be in \[1, 2\] \(the experts\), got 3"),
        ({"experts": 2, "experts_per_token": 0}, r"experts_per_token must be in \[1, 2\] \(the experts\), got 0"),
        ({"experts_per_token": 1}, r"experts_per_token needs transformer.experts, got 1 and experts=0"),
        ({"experts": 3}, r"experts must divide the 32 hidden units \(mlp_ratio \* width\), got 3"),
        ({"experts": 4, "split_mlp": True}, r"split_mlp has a router of its own, got experts=4"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=rf"^transformer\.{message}"):
            model(**options)
