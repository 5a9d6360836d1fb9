"""Axes as they are written, points as vectors, and the line that a user reads when an axis cannot work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.search.axis_text import parse_axes, parse_axis
from study.search.space import Axis, Space
from tests.support.studies import small
from trainables.errors import SpecError

BASE = small().base


def test_a_list_has_the_values_that_the_field_declares():
    assert parse_axis("optimizer.weight_decay=0,1,5", BASE) == Axis("optimizer.weight_decay", values=(0.0, 1.0, 5.0))
    assert parse_axis("task.operation = add , sub", BASE).values == ("add", "sub")
    assert parse_axis("task.pairs_together=true,false", BASE).values == (True, False)
    assert parse_axis("batch_size=none,32", BASE).values == (None, 32)
    assert [type(value) for value in parse_axis("optimizer.weight_decay=1,2", BASE).values] == [float, float]


def test_a_range_has_ends_a_scale_and_a_kind():
    assert parse_axis("task.train_fraction=0.2:0.8", BASE) == Axis("task.train_fraction", low=0.2, high=0.8)
    decay = parse_axis("optimizer.weight_decay=0.01:10:log", BASE)
    assert (decay.low, decay.high, decay.log, decay.integer) == (0.01, 10.0, True, False)
    whole = Axis("model.width", low=4, high=64, log=True, integer=True, shape=True)
    assert parse_axis("model.width=4:64:log:int", BASE) == parse_axis("model.width=4:64:int:log", BASE) == whole
    assert parse_axis("model.width=4:64", BASE).integer  # widths are whole, said or not


def test_whole_numbers_may_have_a_step(subtests):
    axis = parse_axis("task.p=5:31:int:2", BASE)
    assert axis == Axis("task.p", low=5, high=31, integer=True, step=2, shape=True)
    assert (axis.size, axis.all_values()) == (14, tuple(range(5, 32, 2)))
    assert (axis.contains(7), axis.contains(8), axis.contains(33)) == (True, False, False)
    assert parse_axis("task.p=5:30:int:2", BASE).high == 29
    assert parse_axis("task.p=5:30:int:1", BASE) == parse_axis("task.p=5:30:int", BASE)
    drawn = [axis.decode([i / 1399]) for i in range(1400)]
    assert {value: drawn.count(value) for value in axis.all_values()} == dict.fromkeys(axis.all_values(), 100)
    assert all(axis.decode(axis.encode(value)) == value for value in axis.all_values())
    for text, words in [
        ("task.p=5:31:int:0", r"a step must be in \[1, 26\], from the first value to a second, got 0"),
        ("task.p=5:31:int:27", r"a step must be in \[1, 26\].*got 27"),
        ("task.p=5:31:2", "'2' is a step without :int before it; write lo:hi:int:2"),
        ("task.p=5:31:int:2:2", "'2' is a step without :int before it"),
        ("model.width=4:64:log:int:4", "no logarithmic range; leave :log or the step out"),
        ("task.p=5:31:int:-2", "'-2' is not known"),
        ("task.p=5:31:int:two", "'two' is not known"),
    ]:
        with subtests.test(text), pytest.raises(SpecError, match=words):
            parse_axis(text, BASE)


def test_a_narrow_range_has_more_than_one_value():
    axis = parse_axis("task.train_fraction=0.3000001:0.3000009", BASE)
    assert len({axis.decode([i / 10]) for i in range(11)}) == 11
    assert parse_axis("task.train_fraction=0.3:0.8", BASE).decode([1 / 3]) == 0.466667


def test_an_axis_is_written_as_it_was_read(subtests):
    for text in [
        "optimizer.weight_decay=0.01:10:log", "model.width=4:64:int", "task.operation=add,sub", "task.p=5:31:int:2",
        "optimizer.weight_decay=0.1234567,0.1234568", "task.train_fraction=0.3000001:0.3000009",
    ]:  # fmt: skip
        with subtests.test(text=text):
            axis = parse_axis(text, BASE)
            assert f"{axis.path}={axis}" == text


def test_an_axis_that_cannot_work_is_one_line_that_names_it(subtests):
    for text, words in [
        ("optimizer.weight_decy=0:1", "Did you mean 'optimizer.weight_decay'"),
        ("weight_decay=0:1", "Did you mean 'optimizer.weight_decay'"),
        ("optimizer.weight_decay", "is not PATH=RANGE"),
        ("=1:2", "is not PATH=RANGE"),
        ("optimizer.weight_decay=", "is not PATH=RANGE"),
        ("optimizer.weight_decay=1:0.1", "must be smaller"),
        ("optimizer.weight_decay=1:1", "a range from 1 must end above it; for one value there is --set"),
        ("optimizer.weight_decay=0:1:log", "begin above 0"),
        ("optimizer.weight_decay=0.1:1:lgo", "Did you mean 'log'"),
        ("optimizer.weight_decay=a:b", "'a' is not a number"),
        ("optimizer.weight_decay=:1", "'' is not a number"),
        ("optimizer.weight_decay=nan:1", "must be a finite float, got nan"),
        ("optimizer.weight_decay=-1:1", "must be 0 or larger, got -1.0"),
        ("optimizer.weight_decay=0.5:2:int", "must be whole"),
        ("task.train_fraction=0.2:1.5", r"in \(0, 1\], got 1.5"),
        ("task.operation=add,subtract", "'subtract' is not known"),
        ("task.operation=0:1", "must be str"),
        ("optimizer.weight_decay=1,1.0", "names a value twice"),
        ("model.width=4.5:8", "must be a finite int, got 4.5"),
        ("seed=0:9", "use --seeds"),
        ("optimizer=adamw,sdg", "Did you mean 'sgd'"),
        ("optimizer.momentum=0:0.9 if optimizer=sgd", "No --over lists values"),
    ]:
        with subtests.test(text=text, words=words):
            with pytest.raises(SpecError, match=words) as caught:
                parse_axis(text, BASE)
            assert str(caught.value).startswith(f"--over {text!r}")
            assert "\n" not in str(caught.value)


AXES = st.one_of(
    st.builds(lambda low, width, log: Axis("a", low=low, high=low + width, log=log),
              st.floats(0.001, 100), st.floats(0.01, 1000), st.booleans()),
    st.builds(lambda low, width, log: Axis("a", low=low, high=low + width, log=log, integer=True),
              st.integers(1, 50), st.integers(1, 500), st.booleans()),
    st.builds(lambda low, steps, step: Axis("a", low=low, high=low + steps * step, integer=True, step=step),
              st.integers(-50, 50), st.integers(1, 50), st.integers(1, 9)),
    st.lists(st.sampled_from(["add", "sub", "mul", None, True]), min_size=1, unique=True).map(
        lambda values: Axis("a", values=tuple(values))),
    st.lists(st.floats(-10, 10), min_size=1, unique=True).map(lambda values: Axis("a", values=tuple(values))),
)  # fmt: skip


@given(axis=AXES, data=st.data())
def test_a_vector_is_a_point_of_the_space_and_a_point_comes_back_from_its_vector(axis, data):
    space = Space((axis, Axis("b", low=0.0, high=1.0)))
    vector = data.draw(st.lists(st.floats(0, 1), min_size=space.num_coordinates, max_size=space.num_coordinates))
    point = space.decode(vector)
    assert space.contains(point)
    encoded = space.encode(point)
    assert len(encoded) == space.num_coordinates
    assert all(0 <= x <= 1 for x in encoded)
    again = space.decode(encoded)["a"]
    assert again == (pytest.approx(point["a"], rel=1e-4) if isinstance(again, float) else point["a"])


def test_a_space_has_a_size_if_every_axis_has_an_end():
    finite = Space((Axis("a", values=(1, 2)), Axis("b", values=("x", "y", "z"))))
    assert (finite.size, len(list(finite.points()))) == (6, 6)
    assert Space((*finite.axes, Axis("c", low=1, high=4, integer=True))).size == 24
    assert Space((*finite.axes, Axis("c", low=1, high=4))).size is None


def test_a_point_elsewhere_is_not_in_the_space(subtests):
    for point in [
        {},
        {"a": 1},
        {"a": 1, "b": 0.5, "c": 1},
        {"a": True, "b": 0.5},
        {"a": 3, "b": 0.5},
        {"a": 1, "b": 2.0},
        {"a": 1, "b": "x"},
    ]:
        with subtests.test(point=point):
            space = Space((Axis("a", values=(1, 2)), Axis("b", low=0, high=1)))
            assert space.contains({"a": 2, "b": 0.25})
            assert not space.contains(point)


def test_the_corners_are_the_ends_of_ranges_and_all_values():
    space = Space((Axis("a", values=(1, 2, 3)), Axis("b", low=0.0, high=1.0)))
    assert len(list(space.corners())) == 6


OPTIMIZERS = (
    "optimizer=adamw,sgd,muon",
    "optimizer.weight_decay=0.1:1",
    "optimizer.momentum=0.5,0.9 if optimizer=sgd,muon",
)


def test_an_axis_may_apply_to_some_points_alone():
    momentum, optimizer = parse_axes([OPTIMIZERS[2], OPTIMIZERS[0]], BASE)
    assert momentum == Axis("optimizer.momentum", values=(0.5, 0.9), when=("optimizer", ("sgd", "muon")))
    assert str(momentum) == "0.5,0.9 if optimizer=sgd,muon"
    space = Space((momentum, optimizer))
    points = list(space.points())
    assert len(points) == space.size == 5
    assert {"optimizer": "adamw"} in points
    assert all(space.contains(point) and space.decode(space.encode(point)) == point for point in points)
    assert not space.contains({"optimizer": "adamw", "optimizer.momentum": 0.5})
    assert not space.contains({"optimizer": "sgd"})
    for point in space.corners():
        assert BASE.with_values(point).optimizer.learning_rate == BASE.optimizer.learning_rate


@given(vector=st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_any_vector_is_a_point_that_can_be_run_where_axes_are_conditional(vector):
    space = Space(parse_axes(OPTIMIZERS, BASE))
    point = space.decode(vector)
    assert space.contains(point)
    assert ("optimizer.momentum" in point) == (point["optimizer"] != "adamw")
    assert BASE.with_values(point).value("optimizer") == point["optimizer"]
    assert len(space.encode(point)) == space.num_coordinates == 5


def test_a_condition_that_cannot_hold_is_one_line(subtests):
    for condition, words in [
        ("optimizer=adam", "'adam' is no value of optimizer. Did you mean 'adamw'"),
        ("task.p=23", "'task.p' is not an axis with listed values. Available: optimizer"),
        ("optimizer.weight_decay=0.5", "is not an axis with listed values"),
        ("optimizer=adamw", "'optimizer.momentum' is not a field of RunSpec"),
        ("optimizer", "'' is no value of optimizer"),
    ]:
        with subtests.test(condition=condition, words=words):
            with pytest.raises(SpecError, match=words) as caught:
                parse_axes([*OPTIMIZERS[:2], f"optimizer.momentum=0.5,0.9 if {condition}"], BASE)
            assert "\n" not in str(caught.value)


def test_axes_that_divide_packs_are_known():
    axes = parse_axes(
        ["model.width=8,16", "task.train_fraction=0.3:0.5", "optimizer=adamw,sgd", "batch_size=8:16"], BASE
    )
    assert [axis.shape for axis in axes] == [True, False, True, True]
