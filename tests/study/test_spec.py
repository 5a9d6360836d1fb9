"""StudySpec: what a study asks for, and the line that a user reads when it cannot work."""

import json
import re

import numpy as np
import pytest

from study.spec import find, point_key
from tests.support.studies import AXES, small, study_file
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


def test_a_study_that_cannot_work_is_one_line_that_names_study_and_mend(subtests):
    for changes, words in [
        ({"question": 5}, "question must be text, got 5"),
        ({"axes": {}}, "axes is empty"),
        ({"axes": {"optimizer.weight_decy": (1.0,)}}, "Did you mean 'optimizer.weight_decay'"),
        ({"axes": {"task": (1.0,)}}, "task '1.0' is not known"),
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
        ({"seeds": "two"}, "StudySpec.seeds must be a finite int, got 'two'"),
        ({"seeds": [0, 1, 2]}, r"StudySpec.seeds must be a finite int, got \[0, 1, 2\]"),
        ({"seeds": 1.5}, "StudySpec.seeds must be a finite int, got 1.5"),
        ({"horizon": True}, "StudySpec.horizon must be a finite int, got True"),
        ({"horizon": None}, "StudySpec.horizon must be a finite int, got None"),
        ({"fixed_split": 1}, "StudySpec.fixed_split must be bool, got 1"),
        ({"evaluations_per_decade": "8"}, "StudySpec.evaluations_per_decade must be a finite int, got '8'"),
        ({"probes": "logit_lens"}, "probes must be a list of names, got 'logit_lens'"),
        ({"base": 3}, "StudySpec.base must be RunSpec, got 3"),
        ({"axes": ["model.width"]}, r"axes must be \{path: values\}, got \['model.width'\]"),
        ({"axes": {"optimizer.weight_decay": np.float64(1)}}, "one or more values"),
        ({"axes": {"optimizer.weight_decay": np.zeros((2, 2))}}, "must be a finite float, got \\[0.0, 0.0\\]"),
        ({"extra": {"model.width": 3}}, "extra must be a list of points"),
        ({"search": 3}, "search is what `study search` asks for, or None; got 3"),
    ]:
        with subtests.test(changes=changes):
            with pytest.raises(SpecError, match=words) as caught:
                small(**changes)
            assert str(caught.value).startswith("study 'small': ")
            assert "\n" not in str(caught.value)


def test_fields_are_numbers_of_their_kind_whoever_wrote_them():
    """A horizon of 6e1 is planned and trained as 60."""
    study = small(horizon=6e1, seeds=np.int64(2), evaluations_per_decade=8.0, fixed_split=np.bool_(False), probes=[])
    assert study == small()
    numbers = (study.horizon, study.seeds, study.evaluations_per_decade, study.fixed_split)
    assert list(map(type, numbers)) == [int, int, int, bool]
    assert json.dumps(study.to_json()) == json.dumps(small().to_json())


def test_points_have_the_types_of_their_fields_so_that_1_and_1_0_are_one_cell():
    axes = {"optimizer.weight_decay": np.array([0, 1]), "model.width": (16.0, np.int32(24)), "task.labels": ["true"]}
    study = small(axes=axes, extra=[{"optimizer.weight_decay": 1, "model.width": 16.0, "task.labels": "true"}])
    written = [json.dumps(point) for point in study.points()]
    assert written[0] == '{"optimizer.weight_decay": 0.0, "model.width": 16, "task.labels": "true"}'
    assert len(written) == len(set(written)) == 4
    assert json.loads(json.dumps(study.to_json()))["axes"]["optimizer.weight_decay"] == [0.0, 1.0]


def test_a_value_that_its_part_alone_has_gets_its_type_too():
    study = small(axes={"optimizer": ("sgd",), "optimizer.momentum": (0, 0.9)})
    assert [json.dumps(point["optimizer.momentum"]) for point in study.points()] == ["0.0", "0.9"]


def test_a_change_of_no_field_says_which_is_near():
    with pytest.raises(SpecError, match=r"study 'small' has no field 'sedes'. Did you mean 'seeds'"):
        small().with_(sedes=3)


def test_a_file_gives_a_study_with_its_own_name(tmp_path):
    assert find(str(study_file(tmp_path, "mine"))) == small()
    assert find(str(study_file(tmp_path, "mine"))).name == "mine"


def test_the_catalog_gives_a_study_with_its_name():
    assert find("first_map").name == "first_map"


def test_a_file_that_defines_no_study_says_what_is_wrong(tmp_path, subtests):
    for text, words in [
        ("STUDIES = 1", "does not define STUDY"),
        ("STUDY = 3", "got int"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nowhere", "ModuleNotFoundError"),
        ("STUDY = (", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
    ]:
        with subtests.test(text):
            path = tmp_path / "mine.py"
            path.write_text(text)
            with pytest.raises(SpecError, match=words) as caught:
                find(str(path))
            assert "mine.py" in str(caught.value)


def test_a_file_with_an_unknown_field_says_which_is_near(tmp_path, subtests):
    source = study_file(tmp_path, "right").read_text()
    for right, wrong, words in [
        ("learning_rate=0.01", "learning_rat=0.01", "'learning_rat'. Did you mean 'learning_rate'?"),
        ("learning_rate=0.01", "lr=0.01", "'lr'. Some of the 10 names: "),
        ("seeds=2", "seed=2", "line 9, fails when it is run: TypeError: StudySpec.__init__() got an unexpected"),
        ("seeds=2", "seed=2", "argument 'seed'. Did you mean 'seeds'?"),
        ("seeds=2", "seeds='two'", "StudySpec.seeds must be a finite int, got 'two'"),
        ('loss="mse"', 'los="mse"', "Did you mean 'loss'?"),
        ("p=11", "q=11", "'q'. "),
    ]:
        with subtests.test(wrong):
            assert source.count(right) == 1
            path = tmp_path / "wrong.py"
            path.write_text(source.replace(right, wrong))
            with pytest.raises(SpecError, match=re.escape(words)) as caught:
                find(str(path))
            assert "\n" not in str(caught.value)


def test_a_study_that_is_nowhere_says_where_to_look(subtests):
    for name, words in [
        ("first_mpa", "Did you mean 'first_map'"),
        ("nowhere/file.py", "does not exist"),
        ("", "not in the catalog"),
        ("../first_map", "not in the catalog"),
    ]:
        with subtests.test(name), pytest.raises(SpecError, match=words):
            find(name)


def test_a_file_whose_name_cannot_name_a_study_says_so(tmp_path):
    with pytest.raises(SpecError, match=r"'my study' may hold letters, .* Rename the file"):
        find(str(study_file(tmp_path, "my study")))


def test_a_study_of_a_program_stands_for_itself_under_a_name_of_its_own():
    spec = small("mine")
    assert find(spec) is spec
    for name, words in (("", "the name '' may hold letters"), ("first_map", "the name of a study of the catalog")):
        with pytest.raises(SpecError, match=rf"{words}.* Give it a(nother)? name: StudySpec\(name="):
            find(small(name))
