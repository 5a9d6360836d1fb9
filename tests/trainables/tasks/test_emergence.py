"""Addition beside a list to memorize: what is in each split, and an MLP of which each kind has a half."""

from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from tests.support.runs import trained
from trainables.errors import SpecError
from trainables.models import mlp, transformer
from trainables.optimizers import adamw
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import emergence, modular

TASK = emergence.Task(p=11, train_fraction=0.5, memorize=50)
MODEL = transformer.Model(width=16, heads=4, split_mlp=True)


def examples() -> tuple[Tensor, Tensor]:
    """Additions and examples to memorize, their tokens."""
    splits = TASK.build(0)
    return splits["added"].inputs_NL, splits["memorized"].inputs_NL


def test_the_papers_numbers_are_the_default():
    task = emergence.Task()
    splits = task.build(0)
    assert len(splits["added"].targets_N) == pytest.approx(3000, abs=5)
    assert len(splits["memorized"].targets_N) == 3000
    assert task.num_train == len(splits["train"].targets_N)


def test_training_is_both_kinds_and_testing_the_other_additions():
    splits = TASK.build(3)
    parts = [torch.cat([splits["added"][i], splits["memorized"][i]]) for i in (0, 1)]
    assert splits["train"].inputs_NL.equal(parts[0])
    assert splits["train"].targets_N.equal(parts[1])
    additions = [*splits["added"].inputs_NL.tolist(), *splits["test"].inputs_NL.tolist()]
    assert sorted(additions) == [[a, b, 11] for a in range(11) for b in range(11)]
    for name in ("added", "test"):
        inputs_NL, targets_N = splits[name]
        assert targets_N.equal((inputs_NL[:, 0] + inputs_NL[:, 1]) % 11)


def test_what_is_memorized_is_each_pair_once_with_labels_of_every_kind():
    task = emergence.Task(p=31, memorize=31**2)
    inputs_NL, targets_N = task.build(0)["memorized"]
    assert (inputs_NL[:, 2] == 32).all()
    assert len({tuple(tokens) for tokens in inputs_NL.tolist()}) == 31**2
    assert max(Counter(targets_N.tolist()).values()) < 2 * 31  # 31 each, with a standard deviation of 5.5
    assert (targets_N == (inputs_NL[:, 0] - inputs_NL[:, 1]) % 31).float().mean() < 0.1
    assert not targets_N.equal(task.build(1)["memorized"].targets_N)


def test_without_a_list_it_is_modular_addition():
    alone, addition = emergence.Task(p=11, train_fraction=0.5, memorize=0), modular.Task(p=11, train_fraction=0.5)
    assert alone.num_train == addition.num_train
    for name, split in addition.build(2).items():
        assert alone.build(2)[name].inputs_NL.equal(split.inputs_NL)
        assert alone.build(2)[name].targets_N.equal(split.targets_N)


def test_what_cannot_be_drawn_is_refused(subtests):
    for field, value, bound in [
        ("p", 1, r"\[2, 4096\]"),
        ("train_fraction", 0, r"\(0, 1\]"),
        ("memorize", 122, r"\[0, 121\] \(all pairs\)"),
    ]:
        refused = pytest.raises(SpecError, match=rf"^emergence\.{field} must be in {bound}, got {value}")
        with subtests.test(field=field, value=value, bound=bound), refused:
            emergence.Task(**{"p": 11, field: value})


def gradients(tokens_NL: Tensor) -> tuple[nn.Module, Tensor]:
    """The module, and where its MLP's first matrix gets a gradient from these examples, by hidden unit."""
    module = MODEL.build(TASK, generator("init", 0))
    module(tokens_NL).square().sum().backward()
    return module, module.get_parameter("blocks.0.mlp_in").grad.ne(0).any(0)  # pyright: ignore[reportOptionalMemberAccess]


def test_each_kind_of_example_trains_a_half_of_a_split_mlp_and_everything_else():
    added_NL, memorized_NL = examples()
    halves = slice(0, 32), slice(32, 64)
    for tokens_NL, mine, other in ((memorized_NL, *halves), (added_NL, *reversed(halves))):
        module, touched_U = gradients(tokens_NL)
        assert touched_U[mine].float().mean() > 0.5  # a ReLU may be silent on all of them
        assert not touched_U[other].any()
        assert all(parameter.grad is not None and parameter.grad.any() for parameter in module.parameters())


def test_a_half_answers_as_a_whole_mlp_that_has_these_units_alone():
    added_NL, _ = examples()
    split = MODEL.build(TASK, generator("init", 0))
    half = transformer.Model(width=16, heads=4, mlp_ratio=2).build(TASK, generator("init", 0))
    weights = split.state_dict()
    weights["blocks.0.mlp_in"] = weights["blocks.0.mlp_in"][:, 32:]
    weights["blocks.0.mlp_out"] = weights["blocks.0.mlp_out"][32:]
    half.load_state_dict(weights)
    torch.testing.assert_close(split(added_NL), half(added_NL), rtol=1e-5, atol=1e-5)


def test_layers_below_the_last_are_split_too():
    model = transformer.Model(layers=2, width=16, heads=4, split_mlp=True)
    added_NL, _ = examples()
    module = model.build(TASK, generator("init", 0))
    module(added_NL).square().sum().backward()
    assert (module.get_parameter("blocks.0.mlp_in").grad[:, :32] == 0).all()  # pyright: ignore[reportOptionalSubscript]


def test_a_pack_of_runs_with_and_without_a_list_trains_and_says_how_each_kind_fares():
    task = emergence.Task(p=7, train_fraction=0.6, memorize=20)
    optimizer = adamw.Optimizer(learning_rate=0.01, warmup_steps=5)
    runs = [RunSpec(task=task, model=MODEL, optimizer=optimizer).with_values({"task.memorize": n}) for n in (20, 0)]
    record = trained(runs, 150)
    both, alone = (run.run_id for run in runs)
    assert record.series(both, "memorized", "accuracy")[150] == record.series(both, "added", "accuracy")[150] == 1.0
    assert {row[2] for row in record.of(alone)} == {"train", "test", "model"}


def test_models_that_cannot_tell_the_kinds_apart_are_refused():
    with pytest.raises(SpecError, match=r"^transformer\.split_mlp needs task 'emergence', got Task\(p=97"):
        MODEL.check(modular.Task())
    with pytest.raises(SpecError, match=r"^model 'mlp' reads only two operands modulo p"):
        mlp.Model().check(TASK)
