"""The engine: a run is the same alone, in any company, stopped and continued; and what is recorded of it is true."""

import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.runs import Recorded, Row, mlp_run, stopped, trained, transformer_run
from trainables import checkpoint
from trainables.checkpoint import joined
from trainables.compiler import Compiling
from trainables.cuda_graph import Replay
from trainables.engine import train_pack
from trainables.errors import SpecError
from trainables.pack import Pack
from trainables.records import Flush
from trainables.schedule import evaluation_steps
from trainables.spec import RunSpec

ROOT = Path(__file__).parents[2]
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Equal numbers need equal threads, and packs this small are faster on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def assert_same(a: dict[Row, float], b: dict[Row, float], tolerance: float = 0.0) -> None:
    """The same rows with the same values; at tolerance 0 bit for bit, NaN included."""
    assert a.keys() == b.keys()
    rows = list(a)
    x, y = (np.array([values[row] for row in rows]) for values in (a, b))
    if tolerance:
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)
    else:
        equal = x.view(np.int64) == y.view(np.int64)
        different = [(row, a[row], b[row]) for row, same in zip(rows, equal, strict=True) if not same]
        assert not different, different[:5]


MIXED_MLP = [
    mlp_run(p=13, data_size=40 + 2 * i, weight_decay=0.1 * i, learning_rate=0.005 + 1e-4 * i, seed=i, data_seed=i // 2)
    for i in range(63)
]
MIXED_TRANSFORMERS = [transformer_run(p=11, width=8, data_size=20 + i, weight_decay=0.1 * i, seed=i) for i in range(63)]


@pytest.mark.parametrize(
    ("run", "others"),
    [
        # Not at learning rate 0.01: there the loss spikes, and spikes amplify rounding (7e-4 in test loss by step 200).
        (mlp_run(p=13, data_size=101, learning_rate=0.005, seed=99), MIXED_MLP),
        (transformer_run(p=11, width=8, data_size=77, seed=99), MIXED_TRANSFORMERS),
    ],
    ids=["mlp, full batch", "transformer, minibatch"],
)
def test_a_run_trains_the_same_alone_and_in_a_pack_of_64(run, others):
    alone = trained([run], 200)
    packed = trained([*others[:20], run, *others[20:]], 200)
    for split in ("train", "test"):
        a, b = (record.series(run.run_id, split, "loss") for record in (alone, packed))
        assert list(a) == list(b) == evaluation_steps(200, 8)
        np.testing.assert_allclose(list(a.values()), list(b.values()), rtol=1e-4, atol=1e-5)
    losses = {packed.series(spec.run_id, "train", "loss")[200] for spec in [run, *others]}
    assert len(losses) == 64


def test_each_run_of_a_pack_is_probed_with_its_own_operation():
    """Features of a sum are waves over the residues in their order, those of a product over powers of a generator; for
    products modulo a composite number there is no order, and nothing is measured."""
    changes = [{"operation": name, "learning_rate": 0.003} for name in ("add", "mul", "div", "sub")]
    for p, measured in ((13, 4), (12, 2)):
        runs = [mlp_run(p=p, **change) for change in changes if p == 13 or change["operation"] != "div"]
        assert len({run.pack_key for run in runs}) == 1
        packed = trained(runs, 100)
        have = 0
        for run in runs:
            alone = trained([run], 100)
            for split, metric in (("test", "loss"), ("model", "fourier_ipr"), ("model", "weight_norm")):
                own, shared = (record.series(run.run_id, split, metric) for record in (alone, packed))
                assert list(own) == list(shared)
                np.testing.assert_allclose(list(own.values()), list(shared.values()), rtol=1e-4, atol=1e-5)
                have += metric == "fourier_ipr" and len(own) > 0
        assert have == measured


def test_two_runs_in_one_process_are_the_same_in_either_order():
    a, b = mlp_run(seed=1), transformer_run(seed=2)
    first = {run.run_id: trained([run], 30).values for run in (a, b)}
    second = {run.run_id: trained([run], 30).values for run in (b, a)}
    for run in (a, b):
        assert_same(first[run.run_id], second[run.run_id])


def test_the_order_of_runs_in_a_pack_does_not_matter():
    runs = [mlp_run(seed=seed) for seed in range(3)]
    assert_same(trained(runs, 50).values, trained(runs[::-1], 50).values, 1e-5)


@pytest.mark.parametrize("position", [0, 1, 3])
def test_a_diverging_run_is_recorded_and_leaves_without_touching_the_others(position):
    wild = mlp_run(learning_rate=1e8, weight_decay=0, seed=7, data_size=50)
    others = [mlp_run(seed=seed, data_size=100 + 50 * seed) for seed in range(3)]
    together = trained([*others[:position], wild, *others[position:]], 100)
    state = together.states[wild.run_id]
    assert (state.status, state.stop_reason) == ("finished", "diverged")
    assert 0 < state.steps < 100
    losses = together.series(wild.run_id, "train", "loss")
    assert list(losses) == [step for step in evaluation_steps(100, 8) if step <= state.steps]
    assert not math.isfinite(losses[state.steps])
    assert all(math.isfinite(loss) for step, loss in losses.items() if step < state.steps)
    assert together.series(wild.run_id, "test", "accuracy")[state.steps] < 0.15
    assert together.left[wild.run_id].step == state.steps
    without = trained(others, 100)
    for run in others:
        assert together.states[run.run_id].stop_reason == "horizon"
        assert_same(together.of(run.run_id), without.of(run.run_id), 1e-6)


@pytest.mark.parametrize(
    ("batch_size", "full_data_steps"),
    [(None, 0), (16, 0), (None, 30), (16, 30)],
    ids=["full batch", "minibatch", "full batch, less data later", "minibatch, less data later"],
)
def test_when_most_runs_have_left_each_of_the_others_keeps_its_own_data_numbers_and_order(batch_size, full_data_steps):
    """Also where the examples change after that: the order of those to come follows from the seeds of who is left."""

    def run(**options: Any) -> RunSpec:
        return replace(mlp_run(batch_size=batch_size, **options), full_data_steps=full_data_steps)

    wild = [run(learning_rate=1e8, weight_decay=0, seed=10 + i) for i in range(5)]
    others = [
        run(seed=i, data_size=100 + 50 * i, weight_decay=2 * i, learning_rate=0.0005 + 0.0005 * i) for i in range(3)
    ]
    together = trained([wild[0], others[0], *wild[1:3], others[1], *wild[3:], others[2]], 60)
    assert {together.states[spec.run_id].stop_reason for spec in wild} == {"diverged"}
    assert max(together.states[spec.run_id].steps for spec in wild) < 30
    for spec in others:
        assert_same(together.of(spec.run_id), trained([spec], 60).values, 1e-4)
    without = trained(others, 60)
    for spec in others:
        ours, theirs = together.left[spec.run_id], without.left[spec.run_id]
        assert ours.run_ids == theirs.run_ids == [spec.run_id]
        torch.testing.assert_close(ours.tensors, theirs.tensors, rtol=1e-4, atol=1e-6)


def test_a_pack_that_diverges_as_a_whole_ends():
    runs = [mlp_run(learning_rate=1e8, weight_decay=0, seed=seed) for seed in range(2)]
    record = trained(runs, 10_000)
    assert {state.stop_reason for state in record.states.values()} == {"diverged"}
    assert record.flushes[-1].running is None


RESUMED = {
    "full batch": [mlp_run(seed=seed, data_size=150 + 50 * seed) for seed in range(3)],
    "minibatch": [mlp_run(seed=seed, data_size=150 + 50 * seed, batch_size=32) for seed in range(3)],
    "transformer": [transformer_run(seed=seed) for seed in range(2)],
    "less data later": [replace(mlp_run(seed=seed, data_size=150), full_data_steps=110) for seed in range(2)],
    "smaller epochs later": [replace(mlp_run(seed=seed, batch_size=32), full_data_steps=97) for seed in range(2)],
}
STOPS = {1: 0, 12: 32, 13: 96, 14: 100, 15: 164}
"""Step of the n-th flush: before training, at an evaluation, between two, at one, and between two again."""


@cache
def undisturbed(kind: str) -> Recorded:
    return trained(RESUMED[kind], 200, per_decade=2)


@pytest.mark.parametrize("kind", RESUMED)
@pytest.mark.parametrize("after_flushes", STOPS)
def test_stopping_after_a_flush_and_continuing_equals_an_undisturbed_run_bit_for_bit(kind, after_flushes, tmp_path):
    runs, whole = RESUMED[kind], undisturbed(kind)
    before = stopped(runs, 200, after_flushes, per_decade=2)
    state = before.flushes[-1].running
    assert state is not None
    assert state.step == STOPS[after_flushes]
    checkpoint.save(tmp_path / "x", state)
    after = trained(runs, 200, checkpoint=checkpoint.load(tmp_path / "x"), per_decade=2)
    assert max(row[1] for row in before.values) <= state.step < min(row[1] for row in after.values)
    assert_same(before.values | after.values, whole.values)
    for run in runs:
        ours, theirs = after.left[run.run_id], whole.left[run.run_id]
        assert all(ours.tensors[name].equal(theirs.tensors[name]) for name in theirs.tensors)
        assert after.states[run.run_id].steps == whole.states[run.run_id].steps == 200


def test_those_stops_are_on_evaluation_steps_and_between_them():
    assert set(STOPS.values()) & set(evaluation_steps(200, 2)) == {0, 32, 100}


def test_a_stop_at_every_evaluation_step_loses_and_repeats_nothing():
    runs = RESUMED["minibatch"][:2]
    values, state = {}, None
    for number, step in enumerate(evaluation_steps(40, 8)[:-1]):
        # The first flush comes before the first step, the second after the next evaluation.
        part = stopped(runs, 40, 2 if number else 1, checkpoint=state)
        state = part.flushes[-1].running
        assert state is not None
        assert state.step == step
        assert not values.keys() & part.values.keys()
        values |= part.values
    assert_same(values | trained(runs, 40, checkpoint=state).values, trained(runs, 40).values)


def test_a_run_that_was_stopped_continues_in_other_company():
    # Not at learning rate 0.01: there the loss spikes, and spikes amplify rounding.
    runs = [mlp_run(seed=seed, data_size=150 + 50 * seed, learning_rate=0.005) for seed in range(3)]
    whole = trained(runs, 200)
    state = stopped(runs, 200, 15).flushes[-1].running
    assert state is not None
    for run in runs:
        alone = trained([run], 200, checkpoint=state)
        late = {row: value for row, value in whole.of(run.run_id).items() if row[1] > state.step}
        assert_same(alone.values, late, 1e-4)


def test_a_longer_horizon_continues_the_finished_runs():
    runs = RESUMED["minibatch"]
    short, whole = trained(runs, 100), trained(runs, 200)
    state = joined([short.left[run.run_id] for run in runs])
    longer = trained(runs, 200, checkpoint=state)
    assert {state.horizon for state in longer.states.values()} == {200}
    assert_same(short.values | longer.values, whole.values)


def test_a_checkpoint_without_the_run_is_not_used():
    state = trained([mlp_run(seed=1)], 5).left[mlp_run(seed=1).run_id]
    with pytest.raises(KeyError):
        trained([mlp_run(seed=2)], 10, checkpoint=state)


def test_what_is_recorded_at_a_step_is_what_so_many_steps_have_made():
    run, device = mlp_run(learning_rate=0.005), torch.device("cpu")
    norms = trained([run], 32).series(run.run_id, "model", "weight_norm")
    assert list(norms) == evaluation_steps(32, 8)
    for step in (0, 1, 2, 10, 13, 32):
        pack = Pack([run], device, Compiling("off"))
        pack.train(step)
        assert float(pack.weights_of(run.run_id).norm()) == pytest.approx(norms[step], rel=1e-6)
    assert len(set(norms.values())) == len(norms)


def test_a_run_is_evaluated_at_those_steps_and_no_others():
    run = mlp_run()
    for per_decade, flush_seconds in ((5, 30), (12, -1)):
        record = trained([run], 40, per_decade=per_decade, flush_seconds=flush_seconds)
        series = [record.series(run.run_id, split, "loss") for split in ("train", "test")]
        assert [list(values) for values in series] == [evaluation_steps(40, per_decade)] * 2


def test_columns_are_equally_long_and_every_flush_speaks_of_every_run_in_the_pack():
    runs = [mlp_run(seed=seed) for seed in range(3)]
    record = trained(runs, 300, flush_seconds=-1)
    assert len(record.flushes) > 10
    for flush in record.flushes:
        assert len({len(column) for column in flush.metrics.values()}) == 1
        assert {state.run_id for state in flush.states} == {run.run_id for run in runs}
    assert all(flush.running is not None and not flush.left for flush in record.flushes[:-1])
    assert record.flushes[-1].running is None
    assert set(record.left) == {run.run_id for run in runs}
    for state in record.states.values():
        assert (state.status, state.stop_reason, state.steps) == ("finished", "horizon", 300)
        assert state.wall_seconds > 0


def test_the_time_of_a_run_tells_evaluations_and_flushes_apart_but_for_the_last():
    states = {}

    def record(flush):
        time.sleep(0.05)
        states.update({state.run_id: dataclasses.replace(state) for state in flush.states})

    runs = [mlp_run(seed=seed) for seed in range(3)]
    began = time.monotonic()
    train_pack(runs, horizon=300, record=record, flush_seconds=-1, device="cpu", compile="off")
    took = time.monotonic() - began
    saved = sum(state.save_seconds for state in states.values())
    parts = ("wall_seconds", "prepare_seconds")
    whole = sum(getattr(state, name) for state in states.values() for name in parts)
    assert took - 0.5 < whole < took - 0.05  # the last flush does not know how long it takes
    assert saved > 0.05 * 10
    assert all(state.compile_seconds == 0 < state.evaluate_seconds for state in states.values())
    inside = (state.save_seconds + state.evaluate_seconds < state.wall_seconds for state in states.values())
    assert all(inside)


def test_a_run_on_batches_that_goes_on_is_observed_as_one_that_never_stopped():
    run = transformer_run(p=47)
    early, straight = trained([run], 40), trained([run], 400)
    state = early.left[run.run_id]
    late = trained([run], 400, checkpoint=state)
    for split in ("train", "test"):
        seen = early.series(run.run_id, split, "loss") | late.series(run.run_id, split, "loss")
        assert {step: seen[step] for step in straight.series(run.run_id, split, "loss")} == straight.series(
            run.run_id, split, "loss"
        )


def test_every_run_has_every_metric_at_every_step():
    record = trained([mlp_run(seed=0), mlp_run(seed=1)], 20)
    names = {row[2:] for row in record.values}
    assert len(record.values) == 2 * len(names) * len(evaluation_steps(20, 8))
    assert names >= {(split, metric) for split in ("train", "test") for metric in ("loss", "accuracy")}
    assert names >= {("model", "weight_norm"), ("model", "fourier_ipr")}


def test_a_run_without_a_test_split_has_no_test_rows_and_its_neighbour_keeps_its_own():
    whole, part = mlp_run(fraction=1.0, seed=1), mlp_run(fraction=0.5, seed=2)
    for runs in ([whole, part], [part, whole], [whole]):
        record = trained(runs, 30)
        assert {row[2] for row in record.of(whole.run_id)} == {"train", "model"}
        assert record.states[whole.run_id].stop_reason == "horizon"
    record = trained([whole, part], 30)
    assert_same(record.of(part.run_id), trained([part], 30).values, 1e-5)


def test_accuracies_are_counts_of_the_runs_own_examples():
    runs = [mlp_run(data_size=size, seed=size) for size in (7, 100, 353)]
    record = trained(runs, 150)
    for run in runs:
        for split, count in (("train", run.task.num_train), ("test", run.task.num_pairs - run.task.num_train)):
            values = np.array(list(record.series(run.run_id, split, "accuracy").values()))
            assert values * count == pytest.approx((values * count).round(), abs=1e-9)
            assert ((values >= 0) & (values <= 1)).all()
        assert record.series(run.run_id, "train", "accuracy")[150] == 1.0


def test_losses_are_those_of_the_module():
    for loss in ("mse", "cross_entropy"):
        run = mlp_run(loss=loss, seed=4)
        record = trained([run, mlp_run(loss=loss, seed=5)], 0)
        module = run.model.build(run.task, torch.Generator().manual_seed(0))
        layout_weights = record.left[run.run_id].tensors["weights"][0]
        with torch.no_grad():
            module.hidden.copy_(layout_weights[: module.hidden.numel()].view_as(module.hidden))
            module.unembedding.copy_(layout_weights[module.hidden.numel() :][: module.unembedding.numel()].view(32, 23))
            for split, (tokens_NL, targets_N) in run.task.build(run.data_seed).items():
                logits_NC = module(tokens_NL)
                if loss == "mse":
                    expected = (logits_NC - torch.eye(23)[targets_N]).square().mean()
                else:
                    expected = -logits_NC.log_softmax(1)[torch.arange(len(targets_N)), targets_N].mean()
                assert record.series(run.run_id, split, "loss")[0] == pytest.approx(expected.item(), rel=1e-5)


def test_untrained_runs_are_at_chance():
    runs = [mlp_run(p=23, init_scale=0.1, loss="cross_entropy", seed=seed) for seed in range(32)]
    record = trained(runs, 0)
    losses = [record.series(run.run_id, "test", "loss")[0] for run in runs]
    np.testing.assert_allclose(losses, math.log(23), rtol=0.01)
    accuracies = [record.series(run.run_id, "test", "accuracy")[0] for run in runs]
    assert np.mean(accuracies) == pytest.approx(runs[0].task.chance_accuracy, abs=0.015)


def test_random_labels_can_only_be_memorized():
    runs = [mlp_run(p=13, width=64, labels="random", pairs_together=True, weight_decay=0, seed=s) for s in range(16)]
    record = trained(runs, 300)
    assert min(record.series(run.run_id, "train", "accuracy")[300] for run in runs) == 1.0
    accuracies = [record.series(run.run_id, "test", "accuracy")[300] for run in runs]
    assert np.mean(accuracies) == pytest.approx(1 / 13, abs=0.03)  # 16 x 51 examples: standard deviation 0.009


def test_evaluation_examples_limits_what_is_evaluated_and_not_what_is_trained_on():
    run = mlp_run(p=13, fraction=0.5)
    limited, full = trained([run], 60, evaluation_examples=10), trained([run], 60)
    for split in ("train", "test"):
        values = np.array(list(limited.series(run.run_id, split, "accuracy").values()))
        assert values * 10 == pytest.approx((values * 10).round(), abs=1e-9)
        assert limited.series(run.run_id, split, "loss") != full.series(run.run_id, split, "loss")
    weights = [record.series(run.run_id, "model", "weight_norm") for record in (limited, full)]
    assert weights[0] == weights[1]


def test_runs_on_batches_are_evaluated_on_as_many_examples_as_their_steps_pay_for():
    run = transformer_run(p=47)
    limited, full = trained([run], 3, per_decade=1), trained([run], 3, per_decade=1, evaluation_share=None)
    for split in ("train", "test"):
        values = np.array(list(limited.series(run.run_id, split, "accuracy").values()))
        assert values * 500 == pytest.approx((values * 500).round(), abs=1e-9)
        assert limited.series(run.run_id, split, "loss") != full.series(run.run_id, split, "loss")
    every = run.with_values({"batch_size": None})
    records = [trained([every], 3, per_decade=1, evaluation_share=share) for share in (0.1, None)]
    assert records[0].values == records[1].values


def test_packs_of_different_shapes_of_nothing_or_of_twins_are_refused():
    with pytest.raises(SpecError, match="got 2 shapes"):
        trained([mlp_run(width=8), mlp_run(width=9)], 1)
    with pytest.raises(SpecError, match="got 0 shapes"):
        trained([], 1)
    with pytest.raises(SpecError, match="got 2 specs of 1 runs"):
        trained([mlp_run(), mlp_run()], 1)


def held_since(accuracies: dict[int, float]) -> int | None:
    """First step from which the accuracy has stayed at 0.99 up to the last one."""
    since = None
    for step, accuracy in accuracies.items():
        since = (step if since is None else since) if accuracy >= 0.99 else None
    return since


@pytest.mark.parametrize("horizon", [300, 1000])
def test_generalized_runs_leave_after_twice_the_time_and_a_tenth_of_the_horizon_where_asked(horizon):
    runs = [mlp_run(width=64, seed=seed) for seed in range(3)] + [mlp_run(width=64, fraction=0.2, seed=9)]
    record = trained(runs, horizon, per_decade=24, leave_when_generalized=True)
    for run in runs[:3]:
        state = record.states[run.run_id]
        accuracies = record.series(run.run_id, "test", "accuracy")
        since = held_since(accuracies)
        assert since is not None
        earliest = max(2 * since, since + horizon // 10)
        assert (state.status, state.stop_reason) == ("finished", "generalized")
        assert state.steps == list(accuracies)[-1] == min(s for s in evaluation_steps(horizon, 24) if s >= earliest)
    assert record.states[runs[3].run_id].stop_reason == "horizon"
    assert held_since(record.series(runs[3].run_id, "test", "accuracy")) is None


def test_generalized_runs_stay_where_not_asked():
    run = mlp_run(width=64)
    record = trained([run], 300)
    assert held_since(record.series(run.run_id, "test", "accuracy")) is not None
    assert record.states[run.run_id].stop_reason == "horizon"


def test_those_who_stay_do_not_notice_that_others_leave():
    # Not at learning rate 0.01: there training turns unstable, and amplifies rounding (3e-2 in a loss by step 400).
    slow = [mlp_run(width=64, fraction=0.2, learning_rate=0.001, seed=seed) for seed in range(2)]
    fast = [mlp_run(width=64, seed=seed) for seed in range(5)]
    record = trained([fast[0], slow[0], *fast[1:], slow[1]], 240, leave_when_generalized=True)
    assert {record.states[run.run_id].stop_reason for run in fast} == {"generalized"}
    assert max(record.states[run.run_id].steps for run in fast) < 200
    assert_same({k: v for run in slow for k, v in record.of(run.run_id).items()}, trained(slow, 240).values, 1e-4)
    assert set(record.left) == {run.run_id for run in slow + fast}
    assert {record.left[run.run_id].step for run in slow} == {240}


def test_stopping_after_some_have_left_and_continuing_changes_nothing():
    slow = [mlp_run(width=64, fraction=0.2, seed=seed) for seed in range(2)]
    fast = mlp_run(width=64, seed=0)
    runs = [slow[0], fast, slow[1]]
    whole = trained(runs, 300, leave_when_generalized=True)
    gone_at = whole.states[fast.run_id].steps
    assert gone_at < 200
    before = stopped(runs, 300, 23, leave_when_generalized=True)
    state = before.flushes[-1].running
    assert state is not None
    assert gone_at < state.step < 300
    assert state.run_ids == [run.run_id for run in slow]
    after = trained(slow, 300, checkpoint=state, leave_when_generalized=True)
    assert_same(before.values | after.values, whole.values)


def test_a_dip_starts_the_clock_of_generalization_again():
    pack = SimpleNamespace(training=SimpleNamespace(after_change=None), step=0, generalized_at_R=torch.tensor([-1, -1]))
    seen = []
    for pack.step, high in [(10, (True, False)), (20, (True, True)), (30, (False, True)), (40, (True, True))]:
        Pack.note_generalized(pack, np.array(high))  # pyright: ignore[reportArgumentType]
        seen.append(pack.generalized_at_R.tolist())
    assert seen == [[10, -1], [10, 20], [-1, 20], [40, 20]]


def test_strong_decay_generalizes_and_then_forgets():
    run = mlp_run(width=128, weight_decay=15)
    accuracies = trained([run], 1000, per_decade=4).series(run.run_id, "test", "accuracy")
    best = max(accuracies, key=lambda step: accuracies[step])
    assert accuracies[best] > 0.9
    assert accuracies[1000] < 0.2
    assert 50 < best < 500


@pytest.mark.slow
def test_runs_grok_as_often_alone_as_in_packs():
    runs = [mlp_run(width=64, fraction=0.48, seed=seed) for seed in range(64)]

    def num_grokked(*records: Recorded) -> int:
        ends = [record.series(run_id, "test", "accuracy")[400] for record in records for run_id in record.states]
        return sum(accuracy > 0.9 for accuracy in ends)

    alone = num_grokked(*(trained([run], 400) for run in runs))
    packed = num_grokked(trained(runs, 400))
    pooled = (alone + packed) / 128
    assert 0.1 < pooled < 0.9, "a rate at its bound cannot tell two ways of training apart"
    z = (alone - packed) / 64 / math.sqrt(pooled * (1 - pooled) * 2 / 64)
    assert abs(z) < 3


CUDA_PACKS: dict[str, list[RunSpec]] = {
    "full batch": MIXED_MLP[:8],
    "minibatch": MIXED_TRANSFORMERS[:8],
}


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("kind", CUDA_PACKS)
@pytest.mark.parametrize("compile", ["off", "on"])
def test_a_pack_on_cuda_trains_as_on_the_cpu(kind, compile):
    runs = CUDA_PACKS[kind]
    cpu, cuda = trained(runs, 50), trained(runs, 50, device="cuda", compile=compile)
    assert cpu.values.keys() == cuda.values.keys()
    for run in runs:
        a, b = (list(record.series(run.run_id, "train", "loss").values()) for record in (cpu, cuda))
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("kind", CUDA_PACKS)
def test_a_replayed_cuda_graph_trains_as_plain_calls(kind, monkeypatch):
    replayed = trained(CUDA_PACKS[kind], 50, device="cuda")
    monkeypatch.setattr(Replay, "NUM_WARMUPS", 10**9)
    assert_same(replayed.values, trained(CUDA_PACKS[kind], 50, device="cuda").values, 1e-5)


@pytest.mark.cuda
@needs_cuda
def test_runs_that_leave_a_pack_on_cuda_do_not_touch_the_others():
    wild = [mlp_run(learning_rate=1e8, weight_decay=0, seed=7 + i) for i in range(3)]
    others = [mlp_run(seed=seed) for seed in range(3)]
    together, without = (trained(runs, 60, device="cuda") for runs in ([*wild, *others], others))
    assert {together.states[run.run_id].stop_reason for run in wild} == {"diverged"}
    for run in others:
        assert_same(together.of(run.run_id), without.of(run.run_id), 1e-3)


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("kind", CUDA_PACKS)
def test_stopping_and_continuing_on_cuda_changes_no_bit(kind):
    runs = CUDA_PACKS[kind]
    whole = trained(runs, 300, device="cuda")
    before = stopped(runs, 300, 20, device="cuda")
    state = before.flushes[-1].running
    assert state is not None
    after = trained(runs, 300, checkpoint=state, device="cuda")
    assert_same(before.values | after.values, whole.values)


@pytest.mark.parametrize(("share", "all_of_them"), [(float("inf"), True), (1e-9, False)])
def test_checkpoints_take_no_more_than_their_share_of_the_time(monkeypatch, share, all_of_them):
    monkeypatch.setattr("trainables.session.CHECKPOINT_SHARE", share)
    flushes: list[Flush] = []
    train_pack([mlp_run()], horizon=2000, record=flushes.append, device="cpu", compile="off", flush_seconds=-1)
    *during, last = flushes
    assert len(during) > 5
    assert [flush.running is not None for flush in during] == [True] + [all_of_them] * (len(during) - 1)
    assert last.running is None
    assert [left.step for left in last.left] == [2000]
