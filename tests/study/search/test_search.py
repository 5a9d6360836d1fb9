"""A search: what the command line asks for, what a sampler is told, and which runs are handed out. Without Ray."""

import json
import re

import pytest

from study.plan.extend import chosen_runs
from study.plan.stored import stored_study
from study.search.history import Past, check_objective
from study.search.next_points import Handout
from study.search.request import Search, _parts_named, make_search
from study.spec import StudySpec, find
from study.store.database import Store
from study.train.worker import train
from tests.support.studies import MACHINE, settings, small, study_file, trained
from trainables.errors import SpecError

FRACTION, DECAY = "task.train_fraction=0.3:0.8", "optimizer.weight_decay=0.1:10:log"


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


@pytest.fixture
def task(tmp_path) -> str:
    """A study file whose runs take milliseconds."""
    return str(study_file(tmp_path, horizon=40))


def search(task: str, *over: str, **options) -> Search:
    values = {"sampler": "sobol", "runs": 8, "name": "looked"} | options
    return make_search(task, over or (FRACTION, DECAY), **values)


def handed(search: Search, store: Store, **options) -> Handout:
    """The handout of a search that has been trained to its end."""
    worked(search, store, **options)
    handout = Handout(search, store, MACHINE, 2)
    assert handout.next() is None
    return handout


def worked(search: Search, store: Store, most: int = 99, **options) -> list[list[str]]:
    """Train packs one after another in this process, as free workers would; their runs."""
    store.ingest()
    handout = Handout(search, store, MACHINE, options.get("pack_size", 2))
    packs = []
    while len(packs) < most and (pack := handout.next()) is not None:
        train(pack, settings(store), "trial", lambda message: None)
        packs.append(pack.run_ids)
    store.ingest()
    return packs


def test_a_search_is_a_study_of_the_store_like_any_other(task, store):
    packs = worked(search(task), store)
    assert [len(pack) for pack in packs] == [2, 2, 2, 2]
    [(text,)] = store.sql("select spec from studies where study = 'looked'").fetchall()
    spec = json.loads(text)
    assert spec["search"]["over"] == {"task.train_fraction": "0.3:0.8", "optimizer.weight_decay": "0.1:10:log"}
    assert StudySpec.from_json(spec, "looked").to_json() == spec
    counts = store.sql("select status, count(*)::integer from runs group by all").fetchall()
    assert counts == [("finished", 8)]
    assert store.sql("select count(distinct point)::integer from cells where study = 'looked'").fetchall() == [(8,)]


@pytest.mark.parametrize("sampler", ["grid", "random", "sobol", "tpe", "cma"])
def test_a_search_that_dies_after_a_plan_goes_on_without_repeating_a_run(task, store, sampler):
    over = ("optimizer.weight_decay=1,2,3,4", "task.train_fraction=0.4,0.6") if sampler == "grid" else (FRACTION, DECAY)
    asked = search(task, *over, sampler=sampler)
    first = worked(asked, store, most=1)
    Handout(asked, store, MACHINE, 2).next()  # planned, and nobody trains it
    store.ingest()
    planned = store.sql("select count(*)::integer from study_runs").fetchall()
    assert planned == [(4,)]
    rest = worked(asked, store)
    runs = [run_id for pack in first + rest for run_id in pack]
    assert len(set(runs)) == len(runs) == 8
    assert worked(asked, store) == []
    attempts = store.sql("select max(n)::integer from (select count(*) as n from attempts group by run_id)").fetchall()
    assert attempts == [(1,)]


def test_more_runs_go_on_from_those_that_are_there(task, store):
    worked(search(task, runs=4), store)
    assert sum(map(len, worked(search(task, runs=10), store))) == 6


def test_a_finite_space_ends_a_search_before_its_budget(task, store):
    asked = search(task, "optimizer.weight_decay=1,2,3", sampler="random", runs=50)
    assert sum(map(len, worked(asked, store))) == 3


def test_a_search_says_why_it_has_ended_and_how_well_it_knows_the_boundary(task, store):
    whole = search(task, DECAY, runs=4, name="a")
    assert str(handed(whole, store, pack_size=4).outcome()).startswith("the budget of 4 runs is spent; ")
    finite = search(task, "optimizer.weight_decay=1,2,3", runs=50, name="b")
    assert str(handed(finite, store, pack_size=4).outcome()).startswith("sobol has no more points in this space; ")
    optimum = search(task, DECAY, runs=2, name="c", sampler="tpe", objective="max:final_test_accuracy")
    assert str(handed(optimum, store).outcome()) == "the budget of 2 runs is spent"


@pytest.mark.parametrize("sampler", ["grid", "random", "sobol", "tpe", "cma", "boundary"])
def test_points_that_cannot_be_run_are_passed_over_and_counted(task, store, sampler):
    """Division is defined modulo primes: of 5 to 13 only 5, 7, 11 and 13."""
    asked = search(task, "task.p=5:13:int", sampler=sampler, sets=["task.operation=div"], runs=9, phases=["confusion"])
    ended = str(handed(asked, store).outcome())
    primes = {run.spec.task.p for run in Past(asked, store).runs.values()}
    assert primes == {5, 7, 11, 13}
    if sampler != "boundary":  # which asks for points again, where seeds disagree
        assert len(Past(asked, store).runs) == 4
        why = f"{sampler} has no more points in this space; 5 points that cannot be run passed over "
        assert ended.startswith(why + "(modular.p must be prime")


def test_a_pack_is_filled_up_with_points_that_can_be_run(task, store):
    asked = search(task, "task.p=5:23:int", sampler="random", sets=["task.operation=div"], runs=6)
    packs = worked(asked, store, pack_size=2)
    assert sum(map(len, packs)) == 6
    ended = handed(asked, store).outcome()
    assert (ended.why, ended.passed_over) == ("the budget of 6 runs is spent", 0)  # this call has asked for no point


def test_a_search_goes_on_past_points_that_an_earlier_call_passed_over(task, store):
    asked = search(task, "task.p=5:13:int", sampler="grid", sets=["task.operation=div"], runs=9)
    worked(asked, store, most=1)
    assert [run.spec.task.p for run in Past(asked, store).runs.values()] == [5, 7]
    worked(asked, store)
    assert [run.spec.task.p for run in Past(asked, store).runs.values()] == [5, 7, 11, 13]


def test_an_infinite_space_with_hardly_a_point_that_can_be_run_comes_to_an_end(task, store, monkeypatch):
    monkeypatch.setattr("study.search.next_points.PATIENCE", 20)
    asked = search(task, "model.width=8:9:int", FRACTION, sampler="random", runs=4)
    monkeypatch.setattr(StudySpec, "run", lambda study, point, seed: study.base.with_values({"model.width": 0}))
    handout = Handout(asked, store, MACHINE, 2)
    assert handout.next() is None
    assert handout.outcome().passed_over >= 20


def test_names_of_searches_tell_numbers_apart_that_differ_late():
    first, second = (make_search("modular", [f"task.train_fraction=0.3:0.812345{end}"], sampler="sobol", runs=8)
                     for end in (67, 68))  # fmt: skip
    assert first.study.name != second.study.name
    assert first.study.search["over"] == {"task.train_fraction": "0.3:0.81234567"}


def test_a_search_ends_when_the_boundary_is_known_well_enough(task, store, monkeypatch):
    # Fitted runs are on the one side: a sharp boundary, on an axis that decides it.
    sides = {"phases": ["confusion"], "runs": 64, "sets": ["optimizer.weight_decay=0.1"], "sampler": "boundary"}
    rates = "optimizer.learning_rate=0.00001:0.1:log"
    asked = search(task, rates, until_width=0.4, **sides)
    handout = handed(asked, store)
    assert str(handout.outcome()).startswith(
        "the boundary is known as well as was asked for, to 40.0% of the axes; the bound"
    )
    asked_for = len(handout.past.runs)
    assert 6 <= asked_for < 64
    finer = handed(search(task, rates, until_width=0.15, **sides), store)
    assert len(finer.past.runs) > asked_for


def test_seeds_are_runs_at_one_point(task, store):
    worked(search(task, runs=6, seeds=3), store, pack_size=3)
    rows = store.sql(
        "select list(seed order by seed) from runs join study_runs using (run_id) group by point"
    ).fetchall()
    assert rows == [([0, 1, 2],), ([0, 1, 2],)]


def test_a_run_that_another_study_has_trained_is_known_at_once(task, store):
    over = ("task.train_fraction=0.5,0.8", "optimizer.weight_decay=0.5,2")
    trained(small("other", seeds=1), store)
    asked = search(task, *over, sampler="grid", horizon=60)
    assert worked(asked, store) == []
    assert len(Past(asked, store).seen()) == 4
    assert all(run.finished for run in Past(asked, store).seen())


def test_a_run_that_has_diverged_is_no_optimum(task, store):
    """Its last norm is that of its initial weights, the least."""
    rates = "optimizer.learning_rate=0.01,1e30"
    asked = search(task, rates, sampler="tpe", objective="min:final_norm", runs=2, sets=["optimizer.weight_decay=0"])
    worked(asked, store)
    rows = "select learning_rate, runs.stop_reason, final_norm from runs join outcomes using (run_id)"
    facts = store.sql(rows).fetchall()
    assert {(rate, why) for rate, why, _ in facts} == {(0.01, "horizon"), (1e30, "diverged")}
    known = {run.point["optimizer.learning_rate"]: run for run in Past(asked, store).seen()}
    assert (known[1e30].finished, known[1e30].value) == (True, None)
    assert known[0.01].value == next(norm for rate, _, norm in facts if rate == 0.01)


def test_points_of_different_shapes_are_packs_of_their_own(task, store):
    packs = worked(search(task, "model.width=8,16", "optimizer.weight_decay=1,2", sampler="grid", runs=4), store)
    assert len(packs) >= 2
    assert sum(map(len, packs)) == 4


def test_the_sampler_is_told_value_side_and_first_passage(task, store):
    worked(search(task, runs=4, seeds=1), store)
    for objective, sign in (("max:final_train_accuracy", -1), ("min:final_train_accuracy", 1)):
        asked = search(task, sampler="cma", runs=4, objective=objective, phases=["memorization"])
        rows = store.sql("""select point, final_train_accuracy, phase, test_step_90 from study_runs
            join outcomes using (run_id) join phases using (run_id) where definition = 'unified'""").fetchall()
        told = {json.dumps(run.point, sort_keys=True): run for run in Past(asked, store).seen()}
        assert len(rows) == len(told) == 4
        for point, value, phase, step in rows:
            run = told[json.dumps(json.loads(point), sort_keys=True)]
            assert (run.value, run.positive, run.step) == (sign * value, phase == "memorization", step)


def test_a_run_that_waits_has_nothing_to_tell(task, store):
    asked = search(task)
    Handout(asked, store, MACHINE, 4).next()
    store.ingest()
    told = Past(asked, store).seen()
    assert [(run.finished, run.value, run.positive, run.step) for run in told] == [(False, None, None, None)] * 4


def test_a_search_has_a_base_for_each_task_and_a_name_of_its_own():
    one = make_search("modular", [FRACTION], sampler="sobol", runs=8)
    assert one.study.base == find("first_map").base
    assert re.fullmatch("modular-sobol-[0-9a-f]{6}", one.study.name)
    assert make_search("modular", [FRACTION], sampler="sobol", runs=99).study.name == one.study.name
    assert make_search("modular", [DECAY], sampler="sobol", runs=8).study.name != one.study.name
    transformer = make_search("modular", ["task.data_size=50:200:int"], sampler="tpe", runs=8, model="transformer",
                              sets=["task.train_fraction=none", "task.p=29"], horizon=70)  # fmt: skip
    assert (transformer.study.base.task.p, transformer.study.base.task.train_fraction) == (29, None)
    assert (transformer.study.horizon, transformer.objective) == (70, "min:test_step_95")
    for name in ("composition", "comparison", "complex_comparison"):
        assert make_search(name, ["optimizer.weight_decay=0.1:1"], sampler="gp", runs=8).study.horizon > 1


def test_parts_are_named_on_the_command_line_with_and_without_a_condition():
    over = ["model=transformer,nets:Net if optimizer=sgd", "optimizer=sgd,adamw", "task.p=5:23:int"]
    assert _parts_named(over) == ["transformer", "nets:Net", "sgd", "adamw"]


def test_a_search_that_cannot_work_is_one_line(subtests):
    for changes, words in [
        ({"task": "modlar"}, "Did you mean 'modular'"),
        ({"model": "gpt"}, "Available: mlp, transformer"),
        ({"sampler": "soblo"}, "Did you mean 'sobol'"),
        ({"sampler": "grid"}, "has no end of values"),
        ({"runs": 0}, "--runs must be 1 or larger"),
        ({"seeds": 0}, "--seeds must be 1 or larger"),
        ({"horizon": 0}, "--horizon must be 1 or larger"),
        ({"over": []}, "--over is missing"),
        ({"over": [FRACTION, FRACTION]}, "given twice"),
        ({"over": ["task.train_fracton=0:1"]}, "Did you mean 'task.train_fraction'"),
        (
            {"over": ["task.p=8,9", "task.operation=div"]},
            "--over: no point of this space can be run, such as {.*8.*}: modular.p must be prime",
        ),
        ({"sets": ["task.train_fraction=0.5"]}, "is an axis of the search too"),
        ({"sets": ["task.q=5"]}, "`study show STUDY` shows all"),
        ({"sets": ["task.p"]}, "is not PATH=VALUE"),
        ({"sets": ["task.p=1"]}, r"must be in \[2, 4096\], got 1"),
        ({"sampler": "gp", "objective": "test_step_95"}, "is neither min:COLUMN nor max:COLUMN"),
        ({"objective": "min:test_step_95"}, "is for tpe, gp, cma; sobol looks for a boundary"),
        ({"name": "first_map"}, "is a study of the catalog"),
        ({"phases": ["groking"]}, "Did you mean 'grokking'"),
        ({"until_width": 2.0}, r"--until-width must be in \(0, 1\)"),
        ({"until_width": 0.1, "over": ["optimizer=adamw,sgd"]}, "needs one to four axes of numbers"),
        ({"definition": "lui2022"}, "Did you mean 'liu2022'"),
        ({"name": "my search"}, "letters, digits"),
    ]:
        with subtests.test(changes=changes):
            values = {"task": "modular", "over": [FRACTION], "sampler": "sobol", "runs": 8} | changes
            with pytest.raises(SpecError, match=words) as caught:
                make_search(**values)
            assert "\n" not in str(caught.value)


def test_an_objective_that_is_no_number_and_a_name_that_is_taken_are_one_line(task, store):
    with pytest.raises(SpecError, match="Did you mean 'test_step_95'"):
        check_objective(search(task, sampler="tpe", objective="min:test_stp_95"))
    worked(search(task, runs=2), store)
    with pytest.raises(SpecError, match="by a study with other axes"):
        Past(search(task, FRACTION), store)
    with pytest.raises(SpecError, match="by a study with another base run"):
        Past(search(task, sets=["task.p=13"]), store)


# Longer horizons.


def test_chosen_runs_are_those_for_which_the_condition_holds(store):
    trained(small(), store)
    study = stored_study(store, "small")
    assert study.to_json() == small().to_json()
    assert len(chosen_runs(store, study, None)) == 8
    assert {run.spec.optimizer.weight_decay for run in chosen_runs(store, study, "weight_decay > 1")} == {2.0}
    named = "run_id in (select run_id from phases where phase <> 'a;b') -- not (all"
    assert len(chosen_runs(store, study, named)) == 8
    count = store.sql("select count(*)::integer from phases where definition = 'unified' and phase = 'memorization'")
    try:
        assert len(chosen_runs(store, study, "phase = 'memorization'")) == count.fetchall()[0][0]
    except SpecError:
        assert count.fetchall() == [(0,)]


def test_a_condition_that_cannot_work_is_one_line(store, subtests):
    trained(small(), store)
    for where, words in [
        ("wieght_decay > 1", "weight_decay"),
        ("weight_decay > 99", "holds for no run"),
        ("weight_decay >", "not one SQL condition"),
        ("true; drop table runs", "not one SQL condition"),
        ("true; select true", "--where"),
        (" ", "not one SQL condition"),
        ("true) union (select 1", "not one SQL condition"),
        ("true /* all", "not one SQL condition"),
        ("true) or (true", "not one SQL condition"),
        ("false) or phase in ('grokking'", "not one SQL condition"),
        ("true as chosen", "syntax error"),
        ("true from runs", "syntax error"),
        ("true order by run_id", "syntax error"),
        ("true, false", "not one true or false"),
        ("weight_decay", "not one true or false"),
        ("phase", "not one true or false"),
        ("*", "not one true or false"),
        ("count(*) > 1", "--where"),
        ("row_number() over () > 1", "--where"),
        ("unnest([true, true])", "--where"),
        ("steps > ?", "--where"),
        ("phase = memorization", "Columns are those of"),
    ]:
        with subtests.test(where):
            with pytest.raises(SpecError, match=re.escape(words)) as caught:
                chosen_runs(store, small(), where)
            assert "\n" not in str(caught.value)


def test_a_search_of_a_study_looks_over_the_studys_own_axes():
    ranges = {axis.path: str(axis) for axis in make_search("regimes", [], sampler="boundary", runs=8).space.axes}
    assert ranges == {
        "task.ratio": "5:11",
        "optimizer.weight_decay": "0.03:3:log",
        "model.layers": "1,2,3",
        "task.entities": "12,24",
    }
    chosen = make_search("regimes", ["task.ratio=5,7"], sampler="boundary", runs=8)
    assert [axis.path for axis in chosen.space.axes] == ["task.ratio"]
