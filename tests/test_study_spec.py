"""StudySpec: what a study asks for, and the line that a user reads when it cannot work."""

import json

import pytest

from study.spec import find, point_key
from tests.studies import AXES, small, study_file
from trainables.errors import SpecError


def test_points_are_the_product_of_the_axes_in_order_then_the_extra_ones_each_once():
    extra = [{"task.labels": "random"}, {"task.train_fraction": 0.5, "optimizer.weight_decay": 0.5}]
    points = small(extra=extra).points()
    assert [tuple(point.values()) for point in points] == [(0.5, 0.5), (0.5, 2.0), (0.8, 0.5), (0.8, 2.0), ("random",)]


def test_equal_points_have_one_key_whatever_the_order_of_their_fields():
    assert point_key({"a": 1, "b": 2}) == point_key({"b": 2, "a": 1})


def test_the_runs_of_a_point_differ_in_seed_and_split():
    study = small()
    first, second = (study.run(study.points()[0], seed) for seed in (0, 1))
    assert (first.seed, first.data_seed, second.seed, second.data_seed) == (0, 0, 1, 1)
    assert first.run_id != second.run_id


def test_a_fixed_split_keeps_the_data_seed_of_the_base():
    study = small(fixed_split=True)
    assert [study.run(study.points()[0], seed).data_seed for seed in (0, 1)] == [0, 0]


def test_a_change_of_none_changes_nothing():
    assert small().with_(seeds=None, horizon=None) == small()
    assert small().with_(horizon=7).horizon == 7


def test_a_study_becomes_json():
    text = json.dumps(small(extra=[{"task.labels": "random"}]).to_json())
    assert json.loads(text)["axes"] == {path: list(values) for path, values in AXES.items()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": 5}, "question must be text, got 5"),
        ({"axes": {}}, "axes is empty"),
        ({"axes": {"optimizer.weight_decy": (1.0,)}}, "Did you mean 'optimizer.weight_decay'"),
        ({"axes": {"task": (1.0,)}}, "task 1.0 is not known"),
        ({"axes": {"task.train_fraction": ()}}, "one or more values"),
        ({"axes": {"task.operation": "add"}}, "one or more values"),
        ({"axes": {"task.train_fraction": 0.5}}, "one or more values"),
        ({"axes": {"task.train_fraction": (0.5, 1.5)}}, r"in \(0, 1\], got 1.5"),
        ({"axes": {"optimizer.weight_decay": ("high",)}}, "must be a finite float, got 'high'"),
        ({"axes": {"model.width": (16, 0)}}, "1 or larger, got 0"),
        ({"axes": {"seed": (0, 1)}}, "'seed' cannot be an axis"),
        ({"axes": {"data_seed": (0, 1)}}, "'data_seed' cannot be an axis"),
        ({"extra": [{"seed": 3}]}, "'seed' cannot be an axis"),
        ({"extra": [{"model.widht": 3}]}, "Did you mean 'model.width'"),
        ({"seeds": 0}, "seeds and horizon must be 1 or larger"),
        ({"horizon": 0}, "seeds and horizon must be 1 or larger"),
        ({"evaluations_per_decade": 0}, "must be 1 or larger"),
        ({"evaluation_examples": 0}, "must be 1 or larger"),
        ({"sampler": "gird"}, "sampler 'gird' is not known. Did you mean 'grid'"),
        ({"definition": "lui2022"}, "Did you mean 'liu2022'"),
    ],
)
def test_a_study_that_cannot_work_is_one_line_that_names_study_and_mend(changes, words):
    with pytest.raises(SpecError, match=words) as caught:
        small(**changes)
    assert str(caught.value).startswith("study 'small': ")
    assert "\n" not in str(caught.value)


def test_a_file_gives_a_study_with_its_own_name(tmp_path):
    assert find(str(study_file(tmp_path, "mine"))) == small()
    assert find(str(study_file(tmp_path, "mine"))).name == "mine"


def test_the_catalog_gives_a_study_with_its_name():
    assert find("first_map").name == "first_map"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("STUDIES = 1", "does not define STUDY"),
        ("STUDY = 3", "got int"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nowhere", "ModuleNotFoundError"),
        ("STUDY = (", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_file_that_defines_no_study_says_what_is_wrong(tmp_path, text, words):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(SpecError, match=words) as caught:
        find(str(path))
    assert "mine.py" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first_mpa", "Did you mean 'first_map'"),
        ("nowhere/file.py", "does not exist"),
        ("", "not in the catalog"),
        ("../first_map", "not in the catalog"),
    ],
)
def test_a_study_that_is_nowhere_says_where_to_look(name, words):
    with pytest.raises(SpecError, match=words):
        find(name)


def test_a_file_whose_name_cannot_name_a_study_says_so(tmp_path):
    with pytest.raises(SpecError, match="rename the file"):
        find(str(study_file(tmp_path, "my study")))
