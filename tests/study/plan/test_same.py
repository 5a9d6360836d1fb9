"""A study's name stands for one base: another one under that name is refused, whatever only adds runs is not."""

import json
import re
from dataclasses import replace

import pytest

from study.plan.same import changed
from study.search.history import Past
from study.spec import find
from study.store.database import Store
from study.train import service
from tests.study.search.test_search import DECAY, FRACTION, search, worked
from tests.support.studies import AXES, small, study_file, trained
from trainables.components import available
from trainables.errors import SpecError
from trainables.models import mlp
from trainables.spec import RunSpec

OPTIONS = service.Options(device="cpu")
BASE = small().base


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


def test_a_study_over_another_base_is_refused_before_anything_is_written(store, subtests):
    trained(small(seeds=1), store)
    before = store.sql("from study_runs order by all").fetchall()
    other_rate = replace(BASE, optimizer=replace(BASE.optimizer, learning_rate=0.02))
    for changes, says in [
        ({"base": other_rate}, "another base run: optimizer.learning_rate 0.01, now 0.02. Its old runs"),
        ({"base": replace(BASE, model=mlp.Model(width=17))}, "model.width 16, now 17"),
        ({"base": replace(BASE, batch_size=5)}, "batch_size None, now 5"),
        ({"base": replace(BASE, precision="bfloat16")}, "precision 'absent', now 'bfloat16'"),
        ({"base": replace(BASE, task=replace(BASE.task, p=13))}, "task.p 11, now 13"),
        ({"fixed_split": True}, "fixed_split False, now True"),
    ]:
        with subtests.test(changes=changes), pytest.raises(SpecError) as caught:
            service.plan(small(**changes), store, OPTIONS)
        assert "study 'small' is in this store already with" in str(caught.value)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert store.sql("from study_runs order by all").fetchall() == before


def test_a_parts_file_is_named_and_a_long_list_of_changes_is_cut():
    other = small(base=find("modular_addition_decay").base).to_json()
    said = changed(small().to_json(), other)
    assert said.count("now") == 3
    assert re.search(r" and \d+ more$", said)


def test_what_only_adds_runs_is_allowed(store, subtests):
    trained(small(seeds=1), store)
    for changes in (
        {"seeds": 3},
        {"horizon": 80},
        {"horizon": 40},
        {"axes": AXES | {"optimizer.weight_decay": (0.5, 1.0, 2.0)}},
        {"axes": {"model.width": (8, 16)}},
        {"extra": [{"task.labels": "random"}]},
        {"question": "Does it still run?"},
        {"definition": "liu2022"},
        {"evaluations_per_decade": 9},
    ):
        with subtests.test(changes=changes):
            assert service.plan(small(**changes), store, OPTIONS).runs
    assert service.plan(small("other", fixed_split=True), store, OPTIONS).missing == 4  # seed 0 has split 0 in both


def test_two_files_of_one_stem_are_one_study_or_refused(tmp_path, store):
    trained(find(str(study_file(tmp_path / "a", "mine"))), store)
    same = find(str(study_file(tmp_path / "b", "mine", seeds=3)))
    assert service.plan(same, store, OPTIONS).missing == 4
    other = find(str(study_file(tmp_path / "b", "mine", learning_rate=0.02)))
    with pytest.raises(SpecError, match=r"study 'mine' is in this store already"):
        service.plan(other, store, OPTIONS)


def test_a_study_and_a_search_do_not_share_a_name(tmp_path, store):
    task = str(study_file(tmp_path, "looked", horizon=40))
    worked(search(task, runs=2), store)
    with pytest.raises(SpecError, match="already with a search that chose its points"):
        service.plan(find(task), store, OPTIONS)
    trained(small(seeds=1), store)
    with pytest.raises(SpecError, match="'small' is taken in this store, by a study with axes of its own"):
        Past(search(task, name="small"), store)


def test_a_search_goes_on_with_its_own_base_and_axes_alone(tmp_path, store):
    task = str(study_file(tmp_path, "start", horizon=40))
    worked(search(task, runs=2), store)
    Past(search(task, runs=4), store)
    with pytest.raises(SpecError, match="by a study with other axes"):
        Past(search(task, FRACTION), store)
    with pytest.raises(SpecError, match=r"by a study with another base run: model.width 16, now 8"):
        Past(search(task, FRACTION, DECAY, sets=["model.width=8"]), store)


def test_a_file_with_a_name_of_the_catalog_must_be_over_its_base(tmp_path):
    with pytest.raises(SpecError, match=r"has the name of a study of the catalog and another base.* Rename the file"):
        find(str(study_file(tmp_path, "first_map")))
    copy = tmp_path / "first_map.py"
    copy.write_text("from study.catalog.first_map import STUDY as KNOWN\nSTUDY = KNOWN.with_(seeds=9)\n")
    assert find(str(copy)).seeds == 9


def test_every_study_of_the_catalog_is_the_same_after_a_way_through_the_store(subtests):
    for name in available("study.catalog"):
        with subtests.test(name):
            asked = find(name).to_json()
            stored = json.loads(json.dumps(asked))
            assert changed(stored, asked) == ""
            again = asked | {"base": RunSpec.from_json(stored["base"]).to_json()}
            assert changed(stored, again) == ""
