"""The order of examples: a fresh permutation every epoch, one stream however it is cut and whoever is beside it."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.batches import BatchOrder
from trainables.seeds import generator, key

SETTINGS = settings(max_examples=60, deadline=None)


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[int], list[int], int]:
    counts = draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    seeds = draw(st.lists(st.integers(0, 9), min_size=len(counts), max_size=len(counts)))
    return seeds, counts, draw(st.integers(1, min(counts)))


def stream(order: BatchOrder, run: int, num_steps: int) -> torch.Tensor:
    return order.block(0, num_steps)[:, run].flatten()


@SETTINGS
@given(orders())
def test_every_epoch_is_a_permutation_of_the_runs_own_examples(order):
    seeds, counts, batch_size = order
    for run, count in enumerate(counts):
        num_steps = -(-3 * count // batch_size)
        epochs = stream(BatchOrder(seeds, counts, batch_size), run, num_steps)[: 3 * count].view(3, count)
        assert (epochs.sort(dim=1).values == torch.arange(count)).all()


def test_epochs_differ_from_each_other():
    epochs = stream(BatchOrder([0], [50], 10), 0, 20).view(4, 50)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4


def test_runs_with_different_seeds_get_different_orders_and_with_equal_seeds_equal_ones():
    first, second, third = BatchOrder([1, 2, 1], [50, 50, 50], 10).block(0, 20).unbind(1)
    assert (first != second).any()
    assert (first == third).all()


@SETTINGS
@given(orders(), st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_any_cut_into_blocks_gives_the_same_stream(order, cuts):
    whole = BatchOrder(*order).block(0, sum(cuts))
    cut, blocks, step = BatchOrder(*order), [], 0
    for length in cuts:
        blocks.append(cut.block(step, length))
        step += length
    assert (torch.cat(blocks) == whole).all()
    last = BatchOrder(*order).block(sum(cuts[:-1]), cuts[-1])  # as after a restart from a checkpoint
    assert (last == blocks[-1]).all()


@SETTINGS
@given(orders(), st.data())
def test_a_run_draws_the_same_batches_alone_and_in_any_company(order, data):
    seeds, counts, batch_size = order
    whole = BatchOrder(seeds, counts, batch_size)
    block = whole.block(5, 20)
    assert block.shape == (20, len(counts), batch_size)
    assert block.dtype == torch.int64
    keep = data.draw(st.lists(st.sampled_from(range(len(counts))), min_size=1, unique=True))
    few = BatchOrder([seeds[run] for run in keep], [counts[run] for run in keep], batch_size)
    assert (few.block(5, 20) == block[:, keep]).all()
    for run in keep:
        assert (BatchOrder([seeds[run]], [counts[run]], batch_size).block(5, 20)[:, 0] == block[:, run]).all()


def test_the_streams_of_a_run_share_no_numbers():
    names = ("init", "split", "labels", "corruption", "order:0", "order:1")
    draws = {tuple(torch.rand(4, generator=generator(name, seed)).tolist()) for name in names for seed in range(20)}
    assert len(draws) == len(names) * 20


def test_a_stream_is_the_same_on_every_machine():
    assert key("init", 0) == 1171178459717116466
    assert torch.randperm(8, generator=generator("split", 3)).tolist() == [3, 2, 5, 6, 1, 0, 7, 4]
