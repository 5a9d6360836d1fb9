"""Every batched update against `torch.optim`, run by run, with hyperparameters that differ between the runs."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from study.check import fields
from study.check.optimizer import Packed, checks, varied
from trainables.components import available, load
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.optimizers import adam, adamw, grokfast, muon, orthograd, sgd, two_rates
from trainables.seeds import generator
from trainables.tasks import modular

NUM_STEPS = 25

ADAM_RUNS = [
    {"learning_rate": 1e-2, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-8},
    {"learning_rate": 3e-3, "weight_decay": 1.5, "beta1": 0.5, "beta2": 0.999, "epsilon": 1e-3},
    {"learning_rate": 3e-2, "weight_decay": 0.1, "beta1": 0.0, "beta2": 0.9, "epsilon": 1e-8, "warmup_steps": 10},
]
SGD_RUNS = [
    {"learning_rate": 0.1, "weight_decay": 0.0, "momentum": 0.9},
    {"learning_rate": 0.02, "weight_decay": 0.5, "momentum": 0.0},
    {"learning_rate": 0.05, "weight_decay": 0.1, "momentum": 0.5, "warmup_steps": 10},
]
MUON_RUNS = [
    {"hidden_learning_rate": 0.02, "momentum": 0.95, **ADAM_RUNS[0]},
    {"hidden_learning_rate": 0.10, "momentum": 0.5, **ADAM_RUNS[1]},
    {"hidden_learning_rate": 0.05, "momentum": 0.0, **ADAM_RUNS[2]},
]


def reference(packed: Packed, run: int, make: Any, warmup_steps: float = 0.0) -> dict[str, Tensor]:
    """The weights of one run after NUM_STEPS of the optimizers that `make` builds from named parameters."""
    params = {name: nn.Parameter(w.clone()) for name, w in packed.layout.named(packed.weights_RW[run]).items()}
    optimizers = make(params)
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    for step in range(NUM_STEPS):
        for name, gradient in packed.layout.named(packed.gradients(step)[run]).items():
            params[name].grad = gradient.clone()
        for optimizer, initial in zip(optimizers, rates, strict=True):
            for group, rate in zip(optimizer.param_groups, initial, strict=True):
                group["lr"] = rate * (min(1, (step + 1) / warmup_steps) if warmup_steps else 1)
            optimizer.step()
    return {name: param.detach() for name, param in params.items()}


def check(module: Any, runs: list[dict[str, float]], make: Any) -> None:
    packed = Packed([module.Optimizer(**run) for run in runs])
    expected = [
        reference(packed, i, lambda params, run=run: make(params, run), run.get("warmup_steps", 0.0))
        for i, run in enumerate(runs)
    ]
    before_RW = packed.weights_RW.clone()
    for step in range(NUM_STEPS):
        packed.update(packed.gradients(step))
    assert (packed.weights_RW - before_RW).abs().max() > 0.1
    for i, weights in enumerate(expected):
        for name, ours in packed.layout.named(packed.weights_RW[i]).items():
            where = f"run {i}, {name}: "
            torch.testing.assert_close(ours, weights[name], rtol=2e-4, atol=2e-5, msg=where.__add__)
    padding_RW = packed.weights_RW[:, packed.real_W() == 0]
    assert padding_RW.shape[1] > 0
    assert (padding_RW == 0).all()


def adam_options(run: dict[str, float]) -> dict[str, Any]:
    betas = (run["beta1"], run["beta2"])
    return {"lr": run["learning_rate"], "weight_decay": run["weight_decay"], "betas": betas, "eps": run["epsilon"]}


def test_adamw_is_torchs_adamw():
    check(adamw, ADAM_RUNS, lambda params, run: [torch.optim.AdamW(params.values(), **adam_options(run))])


def test_adam_is_torchs_adam_with_the_decay_in_the_gradient():
    check(adam, ADAM_RUNS, lambda params, run: [torch.optim.Adam(params.values(), **adam_options(run))])


def test_sgd_is_torchs_sgd_with_momentum():
    def make(params: dict[str, nn.Parameter], run: dict[str, float]) -> list[torch.optim.Optimizer]:
        rate, decay, momentum = run["learning_rate"], run["weight_decay"], run["momentum"]
        return [torch.optim.SGD(params.values(), lr=rate, weight_decay=decay, momentum=momentum)]

    check(sgd, SGD_RUNS, make)


class TransposedMuon:
    """torch's Muon on matrices stored as `torch.nn.Linear` stores them, (outputs, inputs): ours are the transposes."""

    def __init__(self, params: list[nn.Parameter], **options: Any) -> None:
        self.pairs = [(param, nn.Parameter(param.detach().T.clone())) for param in params]
        self.inner = torch.optim.Muon([linear for _, linear in self.pairs], **options)
        self.param_groups = self.inner.param_groups

    def step(self) -> None:
        for param, linear in self.pairs:
            assert param.grad is not None
            linear.grad = param.grad.T.clone()
        self.inner.step()
        for param, linear in self.pairs:
            param.data.copy_(linear.detach().T)


def test_muon_is_torchs_muon_on_hidden_matrices_and_adamw_on_the_rest(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self)  # torch iterates in bfloat16, we in float32

    def make(params: dict[str, nn.Parameter], run: dict[str, float]) -> list[Any]:
        hidden = [p for name, p in params.items() if name.startswith("blocks.") and p.ndim == 2]
        rest = [p for p in params.values() if not any(p is h for h in hidden)]
        rate, decay, momentum = run["hidden_learning_rate"], run["weight_decay"], run["momentum"]
        return [
            TransposedMuon(hidden, lr=rate, weight_decay=decay, momentum=momentum),
            torch.optim.AdamW(rest, **adam_options(run)),
        ]

    check(muon, MUON_RUNS, make)


def test_hidden_matrices_are_those_of_the_blocks():
    slots = Packed([muon.Optimizer()]).layout.slots
    hidden = {slot.name for slot in slots if muon.is_hidden(slot)}
    assert hidden == {f"blocks.0.{name}" for name in ("query", "key", "value", "output", "mlp_in", "mlp_out")}


@pytest.mark.parametrize("name", available("trainables.models"))
@pytest.mark.parametrize("layers", [1, 3])
def test_of_no_model_muon_orthogonalises_what_reads_tokens_or_gives_answers(name, layers):
    """A matrix of the vocabulary, the positions or the classes is known by its size, which no other matrix has.

    The first layer of `mlp` reads two tokens at once and counts as hidden, as in Tian 2025; so does that of `dense`.
    """
    kind = load("trainables.models", name).Model
    fields = {field.name for field in dataclasses.fields(kind)}
    model = kind(**{key: value for key, value in {"layers": layers, "width": 36}.items() if key in fields})
    task = modular.Task(p=29)
    slots = Layout(model.build(task, generator("init", 0))).slots
    outer = {task.vocab_size, task.num_classes, task.p, task.num_tokens}
    outer -= {task.num_tokens} if name == "dense" else set()
    matrices = {slot.name: len(outer & set(slot.shape)) == 0 for slot in slots if len(slot.shape) == 2}
    assert {slot.name: muon.is_hidden(slot) for slot in slots if len(slot.shape) == 2} == matrices
    assert sum(not hidden for hidden in matrices.values()) in (1, 2, 3)
    assert not any(muon.is_hidden(slot) for slot in slots if len(slot.shape) != 2)


def test_orthogonalised_singular_values_are_near_one_whatever_they_were(subtests):
    for shape in [(16, 16), (16, 64), (64, 16), (7, 40)]:
        with subtests.test(shape=shape):
            draw = torch.Generator().manual_seed(0)
            left, _ = torch.linalg.qr(torch.randn(5, shape[0], min(shape), generator=draw))
            right, _ = torch.linalg.qr(torch.randn(5, shape[1], min(shape), generator=draw))
            values = torch.logspace(-1.5, 0, min(shape))
            matrices = 1e3 * left @ torch.diag(values) @ right.mT
            result = muon.orthogonalised(matrices)
            assert result.shape == matrices.shape
            assert ((torch.linalg.svdvals(result) > 0.5) & (torch.linalg.svdvals(result) < 1.3)).all()
            in_basis = left.mT @ result @ right
            off_diagonal = in_basis - torch.diag_embed(in_basis.diagonal(dim1=1, dim2=2))
            assert off_diagonal.abs().max() < 1e-3  # singular vectors stay


def test_orthogonalised_zero_is_zero():
    assert (muon.orthogonalised(torch.zeros(2, 3, 4)) == 0).all()


def shares_of_rate(runs: list[Any], steps: range) -> Tensor:
    """(runs, steps)."""
    hyper = Packed(runs).hyper
    return torch.cat([runs[0].share_of_rate(hyper, torch.tensor(float(step))) for step in steps], dim=1)


def test_a_rate_that_falls_to_zero_does_so_in_each_run_at_its_own_step_and_stays_there():
    for schedule, course in (("linear", lambda x: 1 - x), ("cosine", lambda x: (1 + math.cos(math.pi * x)) / 2)):
        sizes = ((0, 10), (4, 20), (0, 40))
        runs = [adamw.Optimizer(warmup_steps=w, schedule=schedule, schedule_steps=end) for w, end in sizes]
        found = shares_of_rate(runs, range(50))
        for row, (warmup, end) in zip(found, sizes, strict=True):
            first = max(1, warmup)
            expected = [
                min(1, (n + 1) / first) * course(min(1, max(0, (n + 1 - first) / (end - first)))) for n in range(50)
            ]
            torch.testing.assert_close(row, torch.tensor(expected), atol=1e-6, rtol=1e-5)
            assert (row[end - 1 :] == 0).all(), "zero, and it stays so"
            assert row[first - 1] == 1, "the warm-up ends at the whole rate"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schedule": "lineer"}, r"schedule 'lineer' is not known\. .*linear"),
        ({"schedule": "linear"}, r"schedule_steps must say at which step a linear rate is zero, got 0"),
        (
            {"schedule": "cosine", "schedule_steps": 9, "warmup_steps": 9},
            r"schedule_steps must be larger than the 9 steps .* got 9",
        ),
        ({"schedule_steps": 9}, r"schedule_steps must be 0 for a constant rate, got 9"),
    ],
)
def test_schedules_that_cannot_be_are_refused(fields, said):
    for name in available("trainables.optimizers"):
        with pytest.raises(SpecError, match=rf"^{name}\.{said}"):
            load("trainables.optimizers", name).Optimizer(**fields)


def test_hidden_matrices_of_muon_may_have_a_decay_of_their_own():
    """Zero gradients: weights shrink by rate and decay alone."""
    packed = Packed(
        [
            muon.Optimizer(learning_rate=0.1, hidden_learning_rate=0.2, weight_decay=1.0, hidden_weight_decay=d)
            for d in (0.5, 1.0)
        ]
    )
    same = Packed([muon.Optimizer(learning_rate=0.1, hidden_learning_rate=0.2, weight_decay=1.0)])
    before = [packed.weights_RW.clone(), same.weights_RW.clone()]
    for each in (packed, same):
        each.update(torch.zeros_like(each.weights_RW))
    for slot in packed.layout.slots:
        shrunk = (packed.layout.stacked(packed.weights_RW / before[0], slot)).flatten(1).mean(1)
        alike = (same.layout.stacked(same.weights_RW / before[1], slot)).mean()
        expected = (1 - 0.2 * 0.5, 1 - 0.2) if muon.is_hidden(slot) else (0.9, 0.9)
        torch.testing.assert_close(shrunk, torch.tensor(expected), atol=1e-5, rtol=0)
        torch.testing.assert_close(alike, torch.tensor(expected[1]), atol=1e-5, rtol=0)


def test_learning_rate_rises_linearly_over_the_warmup_and_then_stays(subtests):
    for name in available("trainables.optimizers"):
        with subtests.test(name=name):
            kind = load("trainables.optimizers", name).Optimizer
            runs = [kind(warmup_steps=steps) for steps in (0, 1, 4, 10)]
            shares = shares_of_rate(runs, range(12))
            expected = [[min(1, (step + 1) / max(1, steps)) for step in range(12)] for steps in (0, 1, 4, 10)]
            torch.testing.assert_close(shares, torch.tensor(expected))


@pytest.mark.parametrize("name", available("trainables.optimizers"))
class TestEveryOptimizer:
    def test_it_passes_the_checks_that_a_users_optimizer_gets(self, name):
        kind = load("trainables.optimizers", name).Optimizer
        assert [row for row in [*fields.checks("optimizer", kind), *checks(kind)] if not row.ok] == []
        assert len({tuple(vars(optimizer).values()) for optimizer in varied(kind)}) == 3

    def test_every_number_is_a_float_that_may_differ_between_runs(self, name):
        optimizer = load("trainables.optimizers", name).Optimizer()
        switches = {
            "clip_norm",
            "decay_vectors",
            "schedule",
            "hidden_weight_decay",
        }  # whether to: of a pack's shape; how far, of a run's
        assert all(isinstance(value, float) for field, value in vars(optimizer).items() if field not in switches)

    def test_negative_numbers_are_refused(self, name):
        kind = load("trainables.optimizers", name).Optimizer
        for field in dataclasses.fields(kind):
            with pytest.raises(SpecError, match=rf"^{name}\.{field.name} must be .*, got -0\.1\.$"):
                kind(**{field.name: -0.1})


def test_averages_that_never_forget_are_refused(subtests):
    for module, field in [
        (adamw, "beta1"),
        (adamw, "beta2"),
        (adam, "beta2"),
        (sgd, "momentum"),
        (muon, "momentum"),
        (muon, "beta1"),
        (grokfast, "slow_memory"),
        (orthograd, "beta1"),
    ]:
        with subtests.test(field=field), pytest.raises(SpecError, match=r"must be in \[0, 1\), got 1\.0\."):
            module.Optimizer(**{field: 1})


class Clipping:
    """An optimizer of torch's whose gradients are clipped together before each step."""

    def __init__(self, inner: torch.optim.Optimizer, params: dict[str, nn.Parameter], norm: float) -> None:
        self.inner, self.params, self.norm = inner, list(params.values()), norm
        self.param_groups = inner.param_groups
        self.num_clipped = self.num_steps = 0

    def step(self) -> None:
        before = torch.nn.utils.clip_grad_norm_(self.params, self.norm)
        self.num_clipped, self.num_steps = self.num_clipped + int(before > self.norm), self.num_steps + 1
        self.inner.step()


def test_clipping_is_torchs_clipping_of_the_whole_gradient_of_each_run():
    clippers: list[Clipping] = []

    def make(params: dict[str, nn.Parameter], run: dict[str, float]) -> list[Any]:
        clippers.append(Clipping(torch.optim.AdamW(params.values(), **adam_options(run)), params, run["clip_norm"]))
        return clippers[-1:]

    check(adamw, [run | {"clip_norm": norm} for run, norm in zip(ADAM_RUNS, (1.0, 0.1, 30.0), strict=True)], make)
    assert all(0 < clipper.num_clipped < clipper.num_steps for clipper in clippers)


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_undecayed_vectors_are_a_parameter_group_of_their_own_in_torch(clip_norm):
    def make(params: dict[str, nn.Parameter], run: dict[str, float]) -> list[Any]:
        vectors = [param for param in params.values() if param.ndim == 1]
        assert vectors
        matrices = [param for param in params.values() if param.ndim > 1]
        groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
        inner = torch.optim.AdamW(groups, **adam_options(run))
        return [inner if clip_norm is None else Clipping(inner, params, clip_norm)]

    runs = [run | {"decay_vectors": False, "clip_norm": clip_norm} for run in ADAM_RUNS]
    check(adamw, runs, make)
    with pytest.raises(AssertionError, match="gain"):  # and decayed they are not
        check(adamw, [run | {"decay_vectors": True} for run in runs], make)


def test_a_clip_norm_of_nothing_is_refused():
    with pytest.raises(SpecError, match=r"^adamw\.clip_norm must be larger than 0, got 0\.0\.$"):
        adamw.Optimizer(clip_norm=0)


class Filtered:
    """torch's AdamW, whose gradients go through `change(name, parameter)` before each step, as in the papers' code."""

    def __init__(self, params: dict[str, nn.Parameter], run: dict[str, float], change: Any) -> None:
        self.inner, self.params, self.change = torch.optim.AdamW(params.values(), **adam_options(run)), params, change
        self.param_groups = self.inner.param_groups

    def step(self) -> None:
        for name, param in self.params.items():
            param.grad = self.change(name, param)
        self.inner.step()


def test_grokfast_is_adamw_on_the_gradient_plus_its_moving_average_from_the_first_gradient_on():
    def make(params: dict[str, nn.Parameter], run: dict[str, float]) -> list[Any]:
        average: dict[str, Tensor] = {}

        def amplified(name: str, param: nn.Parameter) -> Tensor:
            assert param.grad is not None
            alpha = run["slow_memory"]
            average[name] = alpha * average.get(name, param.grad) + (1 - alpha) * param.grad
            return param.grad + run["amplification"] * average[name]

        return [Filtered(params, run, amplified)]

    filters = [(0.98, 2.0), (0.5, 5.0), (0.9, 0.3)]
    runs = [run | {"slow_memory": a, "amplification": b} for run, (a, b) in zip(ADAM_RUNS, filters, strict=True)]
    check(grokfast, runs, make)


def test_grokfast_that_amplifies_nothing_is_adamw():
    check(
        grokfast,
        [run | {"amplification": 0.0} for run in ADAM_RUNS],
        lambda params, run: [torch.optim.AdamW(params.values(), **adam_options(run))],
    )


def test_orthograd_is_adamw_on_each_tensors_gradient_across_the_tensor_at_its_old_length():
    def across(_: str, param: nn.Parameter) -> Tensor:
        assert param.grad is not None
        weight, gradient = param.detach().double().flatten(), param.grad.double().flatten()
        rest = gradient - (weight @ gradient) / (weight @ weight) * weight
        return (rest * gradient.norm() / rest.norm()).float().view_as(param)

    check(orthograd, ADAM_RUNS, lambda params, run: [Filtered(params, run, across)])


def test_orthogonal_gradients_have_no_part_along_the_weights_and_keep_length_and_side():
    draw = torch.Generator().manual_seed(0)
    grads_RW, weights_RW = torch.randn(2, 5, 40, generator=draw, dtype=torch.float64)
    grads_RW *= torch.tensor([1e-6, 1e-3, 1.0, 1e3, 1e6], dtype=torch.float64)[:, None]
    across_RW = orthograd.orthogonal(grads_RW, weights_RW)
    cosine_R = (across_RW * weights_RW).sum(1) / (across_RW.norm(dim=1) * weights_RW.norm(dim=1))
    assert cosine_R.abs().max() < 1e-14
    torch.testing.assert_close(across_RW.norm(dim=1), grads_RW.norm(dim=1), rtol=1e-14, atol=0)
    in_plane_RW = torch.linalg.lstsq(torch.stack([grads_RW, weights_RW], 2), across_RW[:, :, None]).solution[:, :, 0]
    assert (in_plane_RW[:, 0] > 0).all()


def test_a_gradient_along_the_weights_is_left_with_nothing_and_zero_weights_take_nothing_away():
    gradient = torch.tensor([[3.0, 4.0]])
    assert (orthograd.orthogonal(torch.zeros(1, 2), gradient) == 0).all()
    assert orthograd.orthogonal(gradient, torch.zeros(1, 2)).equal(gradient)
    assert orthograd.orthogonal(gradient, gradient).isfinite().all()


def test_two_rates_are_two_parameter_groups_of_torchs_adamw():
    def make(params: dict[str, nn.Parameter], run: dict[str, float]) -> list[Any]:
        rest = [param for name, param in params.items() if name != "embedding"]
        own = {"lr": run["representation_rate"], "weight_decay": run["representation_decay"]}
        return [torch.optim.AdamW([{"params": [params["embedding"]]} | own, {"params": rest}], **adam_options(run))]

    groups = [(0.1, 0.0), (1e-3, 2.0), (0.02, 0.5)]
    own = [{"representation_rate": rate, "representation_decay": decay} for rate, decay in groups]
    check(two_rates, [run | group for run, group in zip(ADAM_RUNS, own, strict=True)], make)
