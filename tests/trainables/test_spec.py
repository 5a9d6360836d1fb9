"""RunSpec: one run, one id, for ever; and one clear line for everything that cannot be a run."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.runs import mlp_run, transformer_run
from trainables.components import available, load
from trainables.errors import SpecError
from trainables.models import mlp, transformer
from trainables.optimizers import adam, adamw, grokfast, muon, orthograd, sgd
from trainables.spec import LOSSES, PARTS, RunSpec, paths
from trainables.tasks import digits, modular

BASE = RunSpec(task=modular.Task(), model=transformer.Model(), optimizer=adamw.Optimizer())

GOLDEN = {
    "default": BASE,
    "mlp": RunSpec(task=modular.Task(p=23), model=mlp.Model(), optimizer=sgd.Optimizer(), loss="mse", seed=7),
    "muon": RunSpec(
        task=modular.Task(p=113, operation="div", train_fraction=0.3, label_corruption=0.1, pairs_together=True),
        model=transformer.Model(layers=2, norm="rms"),
        optimizer=muon.Optimizer(weight_decay=0.5, warmup_steps=10),
        batch_size=512,
        seed=1,
        data_seed=2,
        order_seed=3,
    ),
    "random": RunSpec(
        task=modular.Task(train_fraction=None, data_size=1000, labels="random"),
        model=transformer.Model(width=32, heads=1),
        optimizer=adam.Optimizer(learning_rate=3e-4),
    ),
}
GOLDEN_IDS = {
    "default": "08ebe7c1a0829876",
    "mlp": "7edd6fbe86b114ae",
    "muon": "cbd1ca2d4246a0d2",
    "random": "0a53dc4662b0844d",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_ids_never_change(name):
    assert GOLDEN[name].run_id == GOLDEN_IDS[name]


def test_the_json_behind_an_id_is_written_out_in_full():
    text = json.dumps(GOLDEN["mlp"].to_json(), sort_keys=True)
    assert text == (
        '{"batch_size": null, "data_seed": 0, "loss": "mse", '
        '"model": {"activation": "square", "init_scale": 1.0, "name": "mlp", "width": 128}, '
        '"optimizer": {"learning_rate": 0.1, "momentum": 0.9, "name": "sgd", "warmup_steps": 0.0, '
        '"weight_decay": 0.0}, '
        '"order_seed": null, "seed": 7, '
        '"task": {"data_size": null, "label_corruption": 0.0, "labels": "true", "name": "modular", "operation": "add", '
        '"p": 23, "pairs_together": false, "train_fraction": 0.5}}'
    )


EQUAL = [
    ("optimizer.weight_decay", [1, 1.0, np.float64(1), np.float32(1), np.int64(1), torch.tensor(1.0), np.array(1.0)]),
    ("optimizer.weight_decay", [0.0, -0.0, 0, np.float64(-0.0)]),
    ("seed", [3, 3.0, np.int32(3), np.float64(3), np.uint8(3)]),
    ("order_seed", [4, 4.0, np.int64(4)]),
    ("batch_size", [64, 64.0, np.int64(64)]),
    ("model.layers", [2, 2.0, np.int16(2)]),
    ("task.train_fraction", [1, 1.0, np.float16(1)]),
    ("task.pairs_together", [True, np.True_]),
    ("task.operation", ["mul", np.str_("mul")]),
    ("loss", ["mse", np.str_("mse")]),
]


def test_equal_numbers_of_any_type_are_one_run(subtests):
    for path, values in EQUAL:
        with subtests.test(path=path, values=values):
            specs = [BASE.with_values({path: value}) for value in values]
            assert len({spec.run_id for spec in specs}) == 1
            assert len(set(specs)) == 1
            assert len({repr(spec) for spec in specs}) == 1  # -0.0 == 0.0, but it would be written otherwise


REFUSED = [
    ("seed", True),
    ("seed", np.True_),
    ("seed", 1.5),
    ("seed", "1"),
    ("seed", None),
    ("seed", float("nan")),
    ("seed", float("inf")),
    ("seed", 10**400),
    ("seed", [1]),
    ("seed", np.array([1, 2])),
    ("batch_size", True),
    ("batch_size", 1.5),
    ("order_seed", False),
    ("loss", 1),
    ("model.width", True),
    ("model.width", "32"),
    ("model.mlp_ratio", True),
    ("model.norm", None),
    ("optimizer.weight_decay", True),
    ("optimizer.weight_decay", "x"),
    ("optimizer.weight_decay", None),
    ("optimizer.weight_decay", float("nan")),
    ("optimizer.weight_decay", np.float64("nan")),
    ("optimizer.weight_decay", float("inf")),
    ("optimizer.weight_decay", float("-inf")),
    ("optimizer.weight_decay", 10**400),
    ("optimizer.weight_decay", 1j),
    ("task.p", 97.5),
    ("task.p", True),
    ("task.train_fraction", float("nan")),
    ("task.train_fraction", False),
    ("task.pairs_together", 1),
    ("task.operation", 3),
]


def test_values_of_another_kind_are_refused_in_one_line_with_the_full_name(subtests):
    for path, value in REFUSED:
        with subtests.test(path=path, value=value):
            with pytest.raises(SpecError) as caught:
                BASE.with_values({path: value})
            message = str(caught.value)
            part, _, name = path.partition(".")
            label = (
                f"{getattr(BASE, part).__class__.__module__.rsplit('.', 1)[-1]}.{name}" if name else f"RunSpec.{part}"
            )
            assert message.startswith(f"{label} must be ")
            assert "\n" not in message


IMPOSSIBLE = [
    ({"loss": "cross_entrophy"}, "RunSpec.loss 'cross_entrophy' is not known. Did you mean 'cross_entropy'?"),
    ({"seed": -1}, "seeds must be 0 or larger, got seed=-1"),
    ({"data_seed": -1}, "data_seed=-1"),
    ({"order_seed": -1}, "order_seed=-1"),
    ({"batch_size": 0}, "RunSpec.batch_size must be in [1, 4704] (the training examples), got 0; None is full batch."),
    ({"batch_size": 4705}, "got 4705"),
    ({"batch_size": 100, "task.data_size": 99, "task.train_fraction": None}, "must be in [1, 99]"),
    ({"task.data_size": 99}, "set one of train_fraction and data_size, and the other to None"),
    ({"task.train_fraction": None}, "set one of train_fraction and data_size, and the other to None"),
    ({"task.train_fraction": 0.0}, "modular.train_fraction must be in (0, 1], got 0.0."),
    ({"task.train_fraction": 1.01}, "modular.train_fraction must be in (0, 1], got 1.01."),
    ({"task.train_fraction": None, "task.data_size": 0}, "modular.data_size must be in [1, 9409]"),
    ({"task.train_fraction": None, "task.data_size": 9410}, "modular.data_size must be in [1, 9409]"),
    ({"task.operation": "divide"}, "Did you mean 'div'?"),
    ({"task.operation": "div", "task.p": 91}, "modular.p must be prime for operation 'div', got 91."),
    ({"task.p": 1}, "modular.p must be in [2, 4096], got 1."),
    ({"task.labels": "shuffled"}, "modular.labels must be one of true, random, got 'shuffled'."),
    ({"task.label_corruption": 1.1}, "modular.label_corruption must be in [0, 1], got 1.1."),
    ({"model.width": 130}, "transformer.heads must divide transformer.width, got heads=4, width=130."),
    ({"model.heads": 0}, "transformer.heads must be 1 or larger, got 0."),
    ({"model.mlp_ratio": 0.001}, "transformer.mlp_ratio must leave at least one hidden unit, got 0.001."),
    ({"model.norm": "layre"}, "Did you mean 'layer'?"),
]


def refusal(make: Callable[[Any], RunSpec], value: Any) -> str:
    """The one line in which a run is refused."""
    with pytest.raises(SpecError) as caught:
        make(value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_impossible_runs_are_refused_in_one_line_that_says_why(subtests):
    for values, line in IMPOSSIBLE:
        with subtests.test(line):
            assert line in refusal(BASE.with_values, values)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_from_elsewhere_is_refused(part):
    for other in (None, "modular", {"name": "modular"}, BASE):
        with pytest.raises(
            SpecError, match=rf"^RunSpec\.{part} must be a \w+ of trainables\.{part}s or of your own, got "
        ):
            dataclasses.replace(BASE, **{part: other})


def test_the_horizon_is_no_part_of_a_run():
    assert not [path for path in paths(BASE) if "horizon" in path]


def test_every_field_makes_another_run():
    ids = {BASE.run_id} | {BASE.with_values(change).run_id for change in CHANGES.values()}
    assert len(ids) == len(CHANGES) + 1


CHANGES: dict[str, dict[str, Any]] = {
    "task": {"task": "comparison"},
    "model": {"model": "mlp"},
    "optimizer": {"optimizer": "adam"},
    "loss": {"loss": "mse"},
    "batch_size": {"batch_size": 64},
    "seed": {"seed": 1},
    "data_seed": {"data_seed": 1},
    "order_seed": {"order_seed": 0},
    "precision": {"precision": "bfloat16"},
    "batch_order": {"batch_order": "hashed"},
    "full_data_steps": {"full_data_steps": 100},
    "task.p": {"task.p": 89},
    "task.operation": {"task.operation": "mul"},
    "task.train_fraction": {"task.train_fraction": 0.25},
    "task.data_size": {"task.data_size": 100, "task.train_fraction": None},
    "task.labels": {"task.labels": "random"},
    "task.label_corruption": {"task.label_corruption": 0.2},
    "task.pairs_together": {"task.pairs_together": True},
    "model.layers": {"model.layers": 2},
    "model.width": {"model.width": 64},
    "model.heads": {"model.heads": 2},
    "model.mlp_ratio": {"model.mlp_ratio": 2.0},
    "model.norm": {"model.norm": "rms"},
    "model.init_scale": {"model.init_scale": 4.0},
    "model.split_mlp": {"task": "emergence", "model.split_mlp": True},
    "model.experts": {"model.experts": 4},
    "model.experts_per_token": {"model.experts": 4, "model.experts_per_token": 1},
    "optimizer.learning_rate": {"optimizer.learning_rate": 3e-3},
    "optimizer.weight_decay": {"optimizer.weight_decay": 1.0},
    "optimizer.beta1": {"optimizer.beta1": 0.5},
    "optimizer.beta2": {"optimizer.beta2": 0.999},
    "optimizer.epsilon": {"optimizer.epsilon": 1e-6},
    "optimizer.warmup_steps": {"optimizer.warmup_steps": 10},
    "optimizer.schedule": {"optimizer.schedule": "linear", "optimizer.schedule_steps": 100},
    "optimizer.schedule_steps": {"optimizer.schedule": "linear", "optimizer.schedule_steps": 200},
    "optimizer.clip_norm": {"optimizer.clip_norm": 1.0},
    "optimizer.decay_vectors": {"optimizer.decay_vectors": False},
}
SHAPE = {
    "task",
    "optimizer",
    "loss",
    "batch_size",
    "batch_order",
    "precision",
    "full_data_steps",
    "task.p",
    "optimizer.schedule",
    "optimizer.schedule_steps",  # with the schedule that it needs
    "optimizer.clip_norm",
    "optimizer.decay_vectors",
}
SHAPE |= {path for path in CHANGES if path.startswith("model")} - {"model.init_scale"}


def test_the_table_of_changes_is_complete():
    assert sorted(CHANGES) == sorted(paths(BASE))


def test_runs_share_a_pack_unless_their_shape_differs(subtests):
    for path in CHANGES:
        with subtests.test(path=path):
            other = BASE.with_values(CHANGES[path])
            assert (other.pack_key != BASE.pack_key) == (path in SHAPE)


def test_runs_whose_rates_fall_at_other_steps_share_a_pack():
    falling = {"optimizer.schedule": "cosine"}
    ends = [BASE.with_values(falling | {"optimizer.schedule_steps": steps}).pack_key for steps in (100, 200)]
    assert ends[0] == ends[1] != BASE.pack_key


def test_runs_that_clip_share_a_pack_whatever_their_norm():
    norms = [BASE.with_values({"optimizer.clip_norm": norm}).pack_key for norm in (0.5, 1.0)]
    assert norms[0] == norms[1] != BASE.pack_key


def test_another_task_model_or_optimizer_is_another_pack():
    others = [
        dataclasses.replace(BASE, optimizer=adam.Optimizer()),
        dataclasses.replace(BASE, optimizer=muon.Optimizer()),
        dataclasses.replace(BASE, model=mlp.Model()),
    ]
    assert len({BASE.pack_key, *(spec.pack_key for spec in others)}) == 4


TASKS = st.builds(
    lambda p, operation, fraction, size, together, corruption, labels: modular.Task(
        p=p,
        operation=operation,
        train_fraction=None if size else fraction,
        data_size=size,
        labels=labels,
        label_corruption=corruption,
        pairs_together=together,
    ),
    st.sampled_from([7, 23, 97, 113]),
    st.sampled_from(sorted(modular.OPERATIONS)),
    st.floats(0.01, 1),
    st.none() | st.integers(1, 42),
    st.booleans(),
    st.floats(0, 1),
    st.sampled_from(modular.LABELS),
)
MODELS = st.builds(
    transformer.Model,
    layers=st.integers(1, 4),
    width=st.sampled_from([16, 128]),
    heads=st.sampled_from([1, 2, 4]),
    mlp_ratio=st.floats(0.5, 8),
    norm=st.sampled_from(transformer.NORMS),
) | st.builds(
    mlp.Model,
    width=st.integers(1, 512),
    activation=st.sampled_from(sorted(mlp.ACTIVATIONS)),
    init_scale=st.floats(1e-3, 10),
)
NUMBERS = st.floats(0, 1e6) | st.integers(0, 1000)
BELOW_ONE = st.floats(0, 1, exclude_max=True)
OPTIMIZERS = st.one_of(
    *(
        st.builds(kind, learning_rate=NUMBERS, weight_decay=NUMBERS, beta1=BELOW_ONE, beta2=BELOW_ONE)
        for kind in (adam.Optimizer, adamw.Optimizer, grokfast.Optimizer, muon.Optimizer, orthograd.Optimizer)
    ),
    st.builds(sgd.Optimizer, learning_rate=NUMBERS, momentum=BELOW_ONE, warmup_steps=NUMBERS),
)
SEEDS = st.integers(0, 2**64)
SPECS = st.builds(
    RunSpec,
    task=TASKS,
    model=MODELS,
    optimizer=OPTIMIZERS,
    loss=st.sampled_from(LOSSES),
    batch_size=st.none() | st.just(1),
    seed=SEEDS,
    data_seed=SEEDS,
    order_seed=st.none() | SEEDS,
)


@settings(max_examples=200, deadline=None)
@given(SPECS)
def test_json_there_and_back_is_the_same_run(spec):
    again = RunSpec.from_json(json.loads(json.dumps(spec.to_json(), allow_nan=False)))
    assert again == spec
    assert again.run_id == spec.run_id
    assert again.pack_key == spec.pack_key
    assert repr(again) == repr(spec)


@settings(max_examples=50, deadline=None)
@given(SPECS)
def test_putting_a_runs_own_values_in_changes_nothing(spec):
    assert spec.with_values({path: spec.value(path) for path in paths(spec)}) == spec


def stored(**changes: Any) -> dict[str, Any]:
    data = json.loads(json.dumps(BASE.to_json()))
    for path, value in changes.items():
        part, _, name = path.partition("__")
        (data[part] if name else data)[name or part] = value
    return data


FOREIGN = [
    (stored(optimizer__weight_decy=1.0), "optimizer 'adamw' has no field 'weight_decy'. Did you mean 'weight_decay'?"),
    (stored(sed=1), "RunSpec has no field 'sed'. Did you mean 'seed'?"),
    (stored(horizon=100), "RunSpec has no field 'horizon'. Some of the 11 names: "),
    (stored(task=None), "RunSpec.task must be an object with a 'name', got None."),
    (stored(task="modular"), "RunSpec.task must be an object with a 'name', got 'modular'."),
    (stored(model__name=3), "RunSpec.model must be an object with a 'name'"),
    (stored(seed="0"), "RunSpec.seed must be a finite int, got '0'."),
]


UNKNOWN = {"task": "modlar", "model": "transformers", "optimizer": "adamv"}


def test_an_unknown_name_is_a_part_whose_code_is_not_here_and_an_axis_over_one_is_refused(subtests):
    for part, name in UNKNOWN.items():
        with subtests.test(part):
            spec = RunSpec.from_json(stored(**{f"{part}__name": name}))
            assert spec.absent == [f"{part} {name!r}"]
            line = refusal(BASE.with_values, {part: name})
            assert line.startswith(f"{part} {name!r} is not known. Did you mean '{BASE.value(part)[:4]}")


def test_unknown_fields_are_refused_with_the_nearest(subtests):
    for data, line in FOREIGN:
        with subtests.test(line):
            assert line in refusal(RunSpec.from_json, data)


def test_reading_json_leaves_it_as_it_was():
    data = stored()
    RunSpec.from_json(data)
    assert data == stored()


def test_with_values_refuses_an_unknown_axis_with_the_nearest():
    with pytest.raises(SpecError, match=r"^axis 'optimizer.weight_decy' .*Did you mean 'optimizer.weight_decay'\?"):
        BASE.with_values({"optimizer.weight_decy": 1.0})
    for path in ("model.", ".p", "task.p.q", "", "horizon"):
        with pytest.raises(SpecError, match="is not a field of RunSpec"):
            BASE.with_values({path: 1})


def test_a_part_is_changed_by_name_and_keeps_what_both_have():
    decayed = BASE.with_values({"optimizer.weight_decay": 0.5, "optimizer.beta1": 0.7})
    other = decayed.with_values({"optimizer": "sgd", "optimizer.momentum": 0.8})
    assert other.optimizer == sgd.Optimizer(learning_rate=BASE.optimizer.learning_rate, weight_decay=0.5, momentum=0.8)
    assert (other.task, other.model) == (BASE.task, BASE.model)
    with pytest.raises(SpecError, match=r"optimizer 'sdg' is not known. Did you mean 'sgd'"):
        BASE.with_values({"optimizer": "sdg"})
    with pytest.raises(SpecError, match=r"axis 'optimizer.beta1' is not a field"):
        BASE.with_values({"optimizer": "sgd", "optimizer.beta1": 0.9})


def test_with_values_changes_fields_that_only_work_together_at_once():
    spec = BASE.with_values({"model.width": 30, "model.heads": 3, "task.data_size": 50, "task.train_fraction": None})
    assert (spec.model.width, spec.model.heads, spec.task.num_train) == (30, 3, 50)
    assert BASE.model.width == 128
    assert spec.value("task.data_size") == 50
    assert spec.value("seed") == 0


def test_a_changed_default_changes_no_stored_run(monkeypatch):
    data, run_id = stored(), BASE.run_id
    for kind in (modular.Task, transformer.Model, adamw.Optimizer, RunSpec):
        defaults = kind.__init__.__kwdefaults__ or {}
        assert defaults
        for name, value in list(defaults.items()):
            changed = {int: 7, float: 0.125, str: "?", bool: True}.get(type(value), 5)
            monkeypatch.setitem(defaults, name, changed)
    assert RunSpec.from_json(data).run_id == run_id


@pytest.mark.parametrize("role", PARTS)
def test_every_part_writes_out_every_field(role):
    package, class_name = PARTS[role]
    for name in available(package):
        part = getattr(load(package, name), class_name)()
        read = {"task": digits.Task()} if name == "dense" else {}
        written = dataclasses.replace(BASE, loss="mse", **read, **{role: part}).to_json()[role]
        unsaid = {f.name for f in dataclasses.fields(part) if "absent" in f.metadata}
        assert set(written) | unsaid == {"name", *(f.name for f in dataclasses.fields(part))}


def test_a_field_that_is_added_later_keeps_the_ids_of_older_runs(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class Grown(adamw.Optimizer):
        cooldown_steps: float = field(default=100.0, metadata={"absent": 0.0})

    Grown.__module__ = adamw.__name__
    data, run_id = stored(), BASE.run_id
    monkeypatch.setattr(adamw, "Optimizer", Grown)
    older = RunSpec.from_json(data)
    assert older.optimizer.cooldown_steps == 0.0  # what it was trained with, whatever the default is today
    assert older.run_id == run_id
    newer = dataclasses.replace(BASE, optimizer=Grown())
    assert newer.run_id != run_id
    assert newer.to_json()["optimizer"]["cooldown_steps"] == 100.0
    assert RunSpec.from_json(newer.to_json()) == newer


def test_a_run_is_a_value_that_cannot_be_changed():
    assert mlp_run(seed=3) == mlp_run(seed=3)
    assert hash(mlp_run(seed=3)) == hash(mlp_run(seed=3))
    with pytest.raises(dataclasses.FrozenInstanceError):
        transformer_run().seed = 3  # pyright: ignore[reportAttributeAccessIssue]
