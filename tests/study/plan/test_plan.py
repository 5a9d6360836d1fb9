"""Planned minus finished, and the packs for the rest."""

import itertools
import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.plan.done import is_done
from study.plan.packing import BACKWARD, Machine, activation_bytes, cache_use, make_packs, pack_bytes
from study.plan.plan import planned_runs
from study.store.database import Store
from tests.support.studies import AXES, MACHINE, make_plan, planned, small, trained
from trainables import checkpoint
from trainables.device import CPU, CUDA, PROFILES
from trainables.flops import run_flops
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (4, 8, 16)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", write=True)


def plan_parts(store: Store) -> list[str]:
    return sorted(path.name for path in (store.path / "parts/plan").iterdir())


def ids(plan) -> list[str]:
    """Ids of the runs in all packs."""
    return [run_id for pack in plan.packs for run_id in pack.run_ids]


def num_attempts(store: Store) -> dict[str, int]:
    return dict(store.sql("select run_id, count(*)::integer from attempts group by run_id").fetchall())


# What is left to do.


def test_nothing_is_finished_without_a_store():
    plan = make_plan(small(), None, MACHINE)
    assert (len(plan.runs), plan.missing, plan.finished) == (8, 8, frozenset())
    assert sorted(ids(plan)) == sorted(run.run_id for run in plan.runs)


def test_what_is_finished_is_not_planned_again(store):
    trained(small(), store)
    plan = make_plan(small(), store, MACHINE)
    assert (plan.missing, plan.packs, len(plan.finished)) == (0, [], 8)


def test_more_seeds_leave_only_the_new_ones_to_do(store):
    trained(small(seeds=1), store)
    plan = trained(small(seeds=3), store)
    assert (len(plan.runs), plan.missing) == (12, 8)
    assert set(num_attempts(store).values()) == {1}


def test_the_first_runs_cover_all_points_and_the_others_follow(store):
    plan = trained(small(), store, limit=4)
    assert [run.point for run in plan.runs] == small().points()
    rest = trained(small(), store)
    assert (len(rest.finished), rest.missing) == (4, 4)
    assert set(num_attempts(store).values()) == {1}
    assert make_plan(small(), store, MACHINE).missing == 0


def test_a_new_value_of_an_axis_adds_its_runs_alone(store):
    trained(small(), store)
    grown = small(axes=AXES | {"optimizer.weight_decay": (0.5, 1.0, 2.0)})
    plan = make_plan(grown, store, MACHINE)
    assert {run.point["optimizer.weight_decay"] for run in plan.runs if run.run_id in ids(plan)} == {1.0}


def test_two_studies_share_the_runs_that_they_have_in_common(store):
    trained(small("one"), store)
    other = small("other", axes=AXES | {"optimizer.weight_decay": (2.0, 4.0)})
    plan = trained(other, store)
    assert (len(plan.finished), plan.missing) == (4, 4)
    assert set(num_attempts(store).values()) == {1}
    counts = store.sql("select study, count(*)::integer from study_runs group by study order by study").fetchall()
    assert counts == [("one", 8), ("other", 8)]


def test_a_longer_horizon_goes_on_from_where_the_runs_stopped(store):
    trained(small(), store)
    plan = planned(small(horizon=90), store)
    assert {pack.start_step for pack in plan.packs} == {60}
    assert plan.missing == 8
    assert make_plan(small(horizon=40), store, MACHINE).missing == 0


def test_a_run_is_done_when_it_was_seen_up_to_the_horizon_or_ended_of_itself(subtests):
    for state, done in [
        (None, False),
        (("planned", None, 0), False),
        (("running", None, 99), False),
        (("failed", None, 50), False),
        (("finished", "horizon", 99), False),
        (("finished", "horizon", 100), True),
        (("finished", "horizon", 200), True),
        (("finished", "diverged", 7), True),
        (("finished", "generalized", 50), False),
        (("finished", "generalized", 100), True),
        (("running", None, 150), True),
    ]:
        with subtests.test(state=state, done=done):
            row = dict(zip(("status", "stop_reason", "steps"), state, strict=True)) if state else None
            assert is_done(row, 100) is done
    generalized = {"status": "finished", "stop_reason": "generalized", "steps": 50}
    assert is_done(generalized, 100, leaving=True), "a study that stops there"


def test_a_failed_run_is_planned_again(store):
    plan = planned(small(), store)
    from study.train.worker import record_failure
    from tests.support.studies import settings as settings_for

    record_failure(plan.packs[0], settings_for(store), "trial", "boom")
    store.ingest()
    assert make_plan(small(), store, MACHINE).missing == 8


# The plan on disk.


def test_the_same_plan_is_one_part_even_when_half_of_it_is_done(store):
    planned(small(), store)
    trained(small(), store, limit=4)
    before = plan_parts(store)
    planned(small(), store)
    planned(small(), store)
    assert plan_parts(store) == before[: len(before)]
    assert len([name for name in before if name.startswith("small-")]) == 2


def test_a_plan_says_what_a_run_is(store):
    planned(small(), store)
    [row] = (
        store.sql("select * from runs where weight_decay = 2 and train_fraction = 0.8 and seed = 1")
        .df()
        .T.to_dict()
        .values()
    )
    assert (row["task"], row["model"], row["optimizer"]) == ("modular", "mlp", "adamw")
    assert (row["layers"], row["width"], row["data_size"], row["num_params"]) == (1, 16, 97, 3 * 11 * 16)
    assert (row["status"], row["horizon"], row["steps"]) == ("planned", 60, 0)
    assert row["chance_accuracy"] == pytest.approx(1 / 11)
    spec = RunSpec.from_json(json.loads(row["spec"]))
    assert spec.run_id == row["run_id"]


# Packs on disk.


def test_packs_that_were_settled_once_are_kept(store):
    first = planned(small(), store, pack_size=3)
    again = make_plan(small(), store, Machine("cpu", workers=8, memory=1e9))
    assert {pack.pack_id: sorted(pack.run_ids) for pack in again.packs} == {
        pack.pack_id: sorted(pack.run_ids) for pack in first.packs
    }


def test_another_pack_size_makes_other_packs_and_is_kept_in_turn(store):
    planned(small(), store)
    other = planned(small(), store, pack_size=3)
    assert sorted(len(pack.run_ids) for pack in other.packs) == [2, 3, 3]
    assert {pack.pack_id for pack in make_plan(small(), store, MACHINE).packs} == {p.pack_id for p in other.packs}


def test_of_two_plans_the_later_counts_when_the_clock_was_set_back(store, monkeypatch):
    class Early(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2020, 1, 1, tzinfo=tz)

    first = planned(small(), store)
    monkeypatch.setattr("study.store.parts.datetime", Early)
    later = planned(small(), store, pack_size=1)
    assert {p.pack_id for p in first.packs} != {p.pack_id for p in later.packs}
    assert {p.pack_id for p in make_plan(small(), store).packs} == {p.pack_id for p in later.packs}


def test_a_torn_checkpoint_is_passed_over_and_the_run_begins_again(store):
    trained(small(), store)
    paths = sorted((store.path / "checkpoints/runs").iterdir())
    paths[0].write_bytes(paths[0].read_bytes()[:100])
    paths[1].write_bytes(b"")
    plan = make_plan(small(horizon=90), store, MACHINE)
    starts = {run_id: pack.start_step for pack in plan.packs for run_id in pack.run_ids}
    assert {run_id for run_id, step in starts.items() if step == 0} == {paths[0].stem, paths[1].stem}


def test_of_several_states_of_a_run_the_furthest_is_taken_whatever_its_name(store, subtests):
    study = small(axes={"optimizer.weight_decay": (1.0,)}, seeds=2)
    trained(study, store)
    folder = store.path / "checkpoints"
    own = checkpoint.joined([checkpoint.load(path) for path in sorted((folder / "runs").iterdir())])
    (folder / "packs").mkdir(exist_ok=True)
    for first, second, furthest in ((20, 40, 60), (40, 20, 60), (20, 80, 80), (80, 20, 80), (70, 80, 80), (95, 20, 60)):
        for name, step in (("a", first), ("b", second)):
            checkpoint.save(folder / f"packs/{name}.safetensors", replace(own, step=step))
        with subtests.test(first=first, second=second):
            starts = {pack.start_step for pack in make_plan(study.with_(horizon=90), store, MACHINE).packs}
            assert starts == {furthest}, "a state beyond the horizon is none to go on from"


def test_runs_of_one_pack_that_came_to_different_steps_are_packs_with_names_of_their_own(store):
    """Two studies share a run; one goes further. Two packs of one name would overwrite each other's state."""
    trained(small("far", axes={"optimizer.weight_decay": (0.5,)}, horizon=80), store)
    near = small("near", axes={"optimizer.weight_decay": (0.5, 2.0)}, horizon=40)
    trained(near, store)
    plan = make_plan(near.with_(horizon=120), store, MACHINE)
    assert sorted({pack.start_step for pack in plan.packs}) == [40, 80]
    assert len({pack.pack_id for pack in plan.packs}) == len(plan.packs)
    trained(near.with_(horizon=120), store)
    assert make_plan(near.with_(horizon=120), store, MACHINE).missing == 0
    keys = store.sql("select count(*) - count(distinct (run_id, step, split, metric)) from metrics").fetchall()
    assert keys == [(0,)]


# Packs in memory.


def packs_of(specs: dict[str, RunSpec], machine: Machine = MACHINE, size: int | None = None, **known):
    shapes = {spec.pack_key: 1 for spec in specs.values()}
    values = {"assigned": {}, "attempts": {}, "checkpoints": {}} | known
    return make_packs(specs, 100, machine, size, num_of_shape=shapes, **values)


def specs_of(study) -> dict[str, RunSpec]:
    return {run.run_id: run.spec for run in planned_runs(study)}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_run_is_in_exactly_one_pack_with_runs_of_its_shape_and_step(data):
    specs = ALL_SPECS
    chosen = data.draw(st.lists(st.sampled_from(sorted(specs)), unique=True, min_size=1))
    steps = data.draw(st.dictionaries(st.sampled_from(chosen), st.sampled_from([10, 50])))
    assigned = data.draw(st.dictionaries(st.sampled_from(chosen), st.sampled_from(["p", "q"])))
    machine = Machine("cpu", data.draw(st.integers(1, 9)), data.draw(st.sampled_from([1e3, 1e6, 1e9])))
    size = data.draw(st.none() | st.integers(1, 7))
    checkpoints = {run_id: (f"checkpoints/packs/{step}.safetensors", step) for run_id, step in steps.items()}
    packs = packs_of({r: specs[r] for r in chosen}, machine, size, assigned=assigned, checkpoints=checkpoints)
    members = list(itertools.chain.from_iterable(pack.run_ids for pack in packs))
    assert sorted(members) == sorted(chosen)
    assert len({pack.pack_id for pack in packs}) == len(packs)
    for pack in packs:
        assert [spec.run_id for spec in pack.specs] == pack.run_ids
        assert len({spec.pack_key for spec in pack.specs}) == 1
        assert {steps.get(run_id, 0) for run_id in pack.run_ids} == {pack.start_step}
        assert bool(pack.checkpoints) == (pack.start_step > 0)
        if size:
            assert len(pack.run_ids) <= size or pack.run_ids[0] in assigned


ALL_SPECS = specs_of(small(axes=AXES | {"model.width": WIDTHS}))


def test_the_name_stays_with_the_runs_that_go_on_from_the_packs_own_state():
    first, second, third = list(specs_of(small()))[:3]
    own, other = "checkpoints/packs/p.safetensors", "checkpoints/packs/q.safetensors"
    packs = packs_of(
        {run_id: ALL_SPECS.get(run_id) or specs_of(small())[run_id] for run_id in (first, second, third)},
        assigned=dict.fromkeys((first, second, third), "p"),
        checkpoints={first: (own, 10), second: (other, 20)},
    )
    assert {pack.run_ids[0]: pack.pack_id == "p" for pack in packs} == {first: True, second: False, third: False}


def test_packs_fit_the_memory_and_keep_every_worker_busy():
    specs = specs_of(small(seeds=40))
    one = next(iter(specs.values()))
    for workers in (1, 2, 5, 16):
        packs = packs_of(specs, Machine("cpu", workers, 1e9))
        assert len(packs) >= workers
        assert max(len(pack.run_ids) for pack in packs) <= CPU.largest_pack
    biggest = max(pack_bytes([spec]) for spec in specs.values())
    packs = packs_of(specs, Machine("cpu", 1, 5 * biggest))
    assert max(len(pack.run_ids) for pack in packs) == 4
    assert all(pack.bytes <= 5 * biggest for pack in packs)
    assert {len(pack.run_ids) for pack in packs_of(specs, Machine("cpu", 1, 1.0))} == {1}
    assert activation_bytes(one) < pack_bytes([one])


def test_runs_with_equal_data_make_larger_packs():
    """A million examples: next to them a run of width 8 takes nothing."""
    base = replace(small().base, task=modular.Task(p=997, train_fraction=0.5), batch_size=64)
    sizes = {}
    for fixed_split in (True, False):
        study = small(base=base, axes={"optimizer.weight_decay": (0.1, 1.0)}, seeds=20, fixed_split=fixed_split)
        specs = specs_of(study)
        machine = Machine("cpu", 1, 3.5 * pack_bytes([next(iter(specs.values()))]))
        packs = packs_of(specs, machine)
        assert all(pack.bytes <= machine.memory for pack in packs)
        sizes[fixed_split] = max(len(pack.run_ids) for pack in packs)
    assert sizes == {True: 16, False: 2}  # as many as the caches hold


def test_memory_is_counted_for_what_a_step_keeps_for_its_backward_pass_and_for_its_gradients(subtests):
    """On 9,409 examples that is nearly all that a narrow run takes."""
    for batch_size in (None, 512):
        base = replace(small().base, task=modular.Task(p=97, train_fraction=1.0), batch_size=batch_size)
        specs = specs_of(small(base=base, axes={"optimizer.weight_decay": (1.0,)}, seeds=40))
        floats = (batch_size or 97 * 97) * base.model.size(base.task).floats
        for device in PROFILES:
            machine = Machine(device, 1, 9 * BACKWARD * 4.0 * floats)  # room for the steps of 9 runs, and no data
            with subtests.test(batch_size=batch_size, device=device):
                packs = packs_of(specs, machine)
                assert max(len(pack.run_ids) for pack in packs) <= 8
                assert all(
                    len(pack.run_ids) * BACKWARD * 4.0 * floats <= pack.bytes <= machine.memory for pack in packs
                )
        if batch_size is None:
            assert max(len(pack.run_ids) for pack in packs) == 8, "and hardly anything else is"


def test_a_pack_that_keeps_a_gpu_busy_gets_no_further_run(subtests):
    gpu = Machine("cuda", 1, 1e18)
    for width, largest in ((16, 32), (2**21, 16), (2**23, 4), (2**27, 1)):
        specs = specs_of(small(axes={"model.width": (width,)}, seeds=40))
        one, sizes = max(run_flops(spec, 1) for spec in specs.values()), [len(p.run_ids) for p in packs_of(specs, gpu)]
        with subtests.test(width=width):
            assert max(sizes) == largest
            busy = CUDA.busy_seconds * CUDA.limits.products_per_second["float32"]
            assert largest == 1 or largest * one <= busy
            assert width == 16 or 2 * largest * one > busy, "and the GPU is busy"


def test_a_pack_on_a_cpu_stays_in_its_caches():
    specs = specs_of(small(axes={"model.width": (4096,)}, seeds=64))
    for pack in packs_of(specs, Machine("cpu", 1, 1e12)):
        assert sum(map(cache_use, pack.specs)) <= CPU.cache_bytes


def test_the_most_expensive_pack_goes_first():
    flops = [pack.flops for pack in packs_of(ALL_SPECS)]
    assert flops == sorted(flops, reverse=True)


def test_each_shape_that_is_compiled_comes_first_once_and_then_the_most_expensive(monkeypatch):
    """Two workers that begin with one shape would both compile it."""
    specs = specs_of(small(axes={"model.width": (16, 32, 64)}, seeds=6))
    plain = [pack.specs[0].model.width for pack in packs_of(specs, size=2)]
    assert plain == [64] * 3 + [32] * 3 + [16] * 3
    monkeypatch.setattr("study.plan.packing.compiling_helps", lambda *rest: True)
    widths = [pack.specs[0].model.width for pack in packs_of(specs, size=2)]
    assert widths == [64, 32, 16, 64, 64, 32, 32, 16, 16]
    more = specs_of(small(axes={"model.width": (16, 32, 64)}, seeds=10))
    uneven = [(pack.specs[0].model.width, len(pack.run_ids)) for pack in packs_of(more, size=4)]
    assert len({*uneven[:6]}) == 6, "a smaller pack is compiled by itself"
    assert uneven[6:] == [(64, 4), (32, 4), (16, 4)]


def test_attempts_in_other_packs_come_before_those_in_this_one():
    specs = specs_of(small())
    run_id = next(iter(specs))
    [pack] = packs_of({run_id: specs[run_id]}, assigned={run_id: "p"}, attempts={run_id: {"p": 4, "q": 2}})
    assert pack.first_attempts == [2]


def test_checkpoints_of_other_runs_are_not_taken(store):
    trained(small(), store)
    path = next((store.path / "checkpoints/runs").iterdir())
    assert checkpoint.load(path).step == 60
    plan = make_plan(small(axes={"optimizer.weight_decay": (7.0,)}, horizon=90), store, MACHINE)
    assert {pack.start_step for pack in plan.packs} == {0}


def test_a_plan_whose_part_is_lost_trains_nothing_again(store):
    trained(small(), store)
    for path in (store.path / "parts/plan").iterdir():
        path.write_bytes(b"torn")
    store.ingest(rebuild=True)
    assert store.sql("select count(*) from runs").fetchall() == [(0,)]
    assert make_plan(small(), store, MACHINE).missing == 0
    assert planned(small(), store).packs == []
    assert store.sql("select count(*), any_value(status) from runs").fetchall() == [(8, "finished")]
