"""The order of batches that is computed on the device: permutations that look drawn, the same however they are cut."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.support.runs import trained, transformer_run
from trainables.errors import SpecError
from trainables.hashed_order import GOLDEN, ROUNDS, HashedOrder
from trainables.seeds import key

CPU = torch.device("cpu")
MASK = 0xFFFFFFFF


def epochs(seed: int, count: int, number: int, first: int = 0) -> np.ndarray:
    """(number, count): the order of examples in each epoch."""
    order = HashedOrder([seed], [count], count, CPU)
    return order.block(first, number)[:, 0].numpy()


def wrapped(value: int) -> int:
    return value & MASK


def mixed(value: int) -> int:
    value = wrapped((value ^ (value >> 16)) * 0x7FEB352D)
    value = wrapped((value ^ (value >> 15)) * 0x846CA68B)
    return value ^ (value >> 16)


def on_paper(seed: int, count: int, place: int) -> int:
    """The example at a place of a run's stream, in plain Python."""
    own = key("hashed order", seed)
    rows = math.isqrt(count - 1) + 1
    columns = -(-count // rows)
    epoch, found = divmod(place, count)
    own_key = mixed((own & 0x7FFFFFFF) ^ mixed(wrapped((own >> 32) + epoch * GOLDEN)))
    while True:
        row, column = divmod(found, columns)
        for i in range(0, ROUNDS, 2):
            row = (row + (mixed(column ^ wrapped(own_key + i * GOLDEN)) & 0x3FFFFFFF)) % rows
            column = (column + (mixed(row ^ wrapped(own_key + (i + 1) * GOLDEN)) & 0x3FFFFFFF)) % columns
        found = row * columns + column
        if found < count:
            return found


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 500), st.data())
def test_every_epoch_is_a_permutation_and_the_one_that_plain_python_gives(seed, count, data):
    first = data.draw(st.sampled_from([0, 1, 77, 10**5]))
    found = epochs(seed, count, 3, first)
    assert (np.sort(found, axis=1) == np.arange(count)).all()
    place = data.draw(st.integers(0, 3 * count - 1))
    assert found.flatten()[place] == on_paper(seed, count, first * count + place)


@pytest.mark.parametrize("count", [7_000, 65_536, 1_000_003])
def test_large_data_too(count):
    assert (np.sort(epochs(3, count, 1)[0]) == np.arange(count)).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(5, 60)), min_size=1, max_size=5), st.integers(1, 5))
def test_it_is_the_same_however_it_is_cut_and_in_any_company(runs, batch_size):
    seeds, counts = zip(*runs, strict=True)
    whole = HashedOrder(seeds, counts, batch_size, CPU).block(3, 20)
    assert (whole.shape, whole.dtype) == ((20, len(runs), batch_size), torch.int64)
    parts = [HashedOrder(seeds, counts, batch_size, CPU).block(first, 5) for first in (3, 8, 13, 18)]
    assert torch.equal(torch.cat(parts), whole)
    for run, (seed, count) in enumerate(runs):
        assert torch.equal(HashedOrder([seed], [count], batch_size, CPU).block(3, 20)[:, 0], whole[:, run])


def test_a_large_block_is_computed_in_pieces(monkeypatch):
    whole = HashedOrder([1, 2], [100, 90], 8, CPU).block(0, 50)
    monkeypatch.setattr("trainables.hashed_order.AT_ONCE", 40)
    assert torch.equal(HashedOrder([1, 2], [100, 90], 8, CPU).block(0, 50), whole)


def chance(observed: np.ndarray, ways: int) -> float:
    """The chance that fair draws differ from equal numbers by as much."""
    return float(stats.chisquare(observed.flatten(), ddof=observed.size - 1 - ways).pvalue)


def counted(pairs: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.bincount(pairs[:, 0] * shape[1] + pairs[:, 1], minlength=shape[0] * shape[1]).reshape(shape)


LIMIT = 1e-4
"""With a hundred looks a fair order falls below it once in a hundred times; the seeds here are fixed."""


@pytest.mark.parametrize("count", [5, 12, 31, 64, 100])
@pytest.mark.parametrize("what", ["epochs", "seeds"])
def test_every_example_is_at_every_place_equally_often(count, what):
    number = 20_000
    if what == "epochs":
        found = epochs(5, count, number)
    else:
        found = HashedOrder(range(number), [count] * number, count, CPU).block(0, 1)[0].numpy()
    table = np.stack([np.bincount(found[:, place], minlength=count) for place in range(count)])
    assert chance(table, (count - 1) ** 2) > LIMIT


def test_with_fewer_rounds_they_would_not_be(monkeypatch):
    monkeypatch.setattr("trainables.hashed_order.ROUNDS", 6)
    found = epochs(5, 5, 20_000)
    table = np.stack([np.bincount(found[:, place], minlength=5) for place in range(5)])
    assert chance(table, 16) < 1e-10


def test_all_orders_of_a_few_examples_come():
    assert len({tuple(order) for order in epochs(9, 5, 5_000)}) == 120


@pytest.mark.parametrize("count", [7, 20, 33])
def test_neighbours_are_all_pairs_equally_often(count):
    found = epochs(8, count, 6_000)
    pairs = np.stack([found[:, :-1].flatten(), found[:, 1:].flatten()], axis=1)
    table = counted(pairs, (count, count))
    assert (np.diag(table) == 0).all()
    off = table[~np.eye(count, dtype=bool)]
    assert off.std() / off.mean() < 1.3 / np.sqrt(off.mean())


def test_epochs_and_runs_are_not_alike():
    count, number = 1_000, 200
    of_epochs = epochs(1, count, number)
    of_runs = HashedOrder(range(number), [count] * number, count, CPU).block(0, 1)[0].numpy()
    for orders in (of_epochs, of_runs):
        found = np.corrcoef(orders)[np.triu_indices(number, 1)]
        assert np.abs(found).max() < 6 / np.sqrt(count)
        assert found.std() == pytest.approx(1 / np.sqrt(count), rel=0.05)
        same_place = (orders[:-1] == orders[1:]).sum(1)  # one in the mean, as between two shuffles
        assert same_place.mean() == pytest.approx(1, abs=0.3)


def test_a_run_with_it_has_an_id_of_its_own_and_trains_the_same_alone_in_a_pack_and_after_a_stop():
    old = [transformer_run(seed=seed, data_size=80 + seed) for seed in range(3)]
    new = [replace(run, batch_order="hashed") for run in old]
    assert "batch_order" not in old[0].to_json()
    assert new[0].to_json()["batch_order"] == "hashed"
    assert old[0].run_id != new[0].run_id
    assert old[0].pack_key != new[0].pack_key
    together = trained(new, 60)
    for run in new:
        alone = trained([run], 60)
        for name, value in alone.of(run.run_id).items():
            assert together.of(run.run_id)[name] == pytest.approx(value, rel=1e-4, abs=1e-5)
    losses = together.series(new[0].run_id, "train", "loss")
    assert losses[60] < losses[0]
    assert losses != trained(old, 60).series(old[0].run_id, "train", "loss")


def test_other_orders_are_refused():
    with pytest.raises(SpecError, match=r"RunSpec\.batch_order 'random' is not known"):
        replace(transformer_run(), batch_order="random")
