"""The statistics of coverage_principle, on runs of which the answer is known."""

import itertools
import math

import pytest

from analysis.claims.coverage_principle import (
    LEVELS,
    cluster_gap,
    clusters_with_data,
    cutoff_correlation,
    data_needed,
    exponent,
    more_for_parallel,
    non_tree_accuracy,
    uncovered_gain,
)

NEEDED = {10: 1000, 20: 4000, 40: 16_000}


def made_up(of=None):
    """Two hops over n tokens need 10 n^2 examples; accuracy rises by 0.2 for each factor of two around that."""
    return [
        {
            "point": {"task.n": n, "task.data_size": size},
            "data_size": size,
            "max_test_accuracy": min(1.0, max(0.0, 0.8 + 0.2 * math.log2(size / NEEDED[n]))),
        }
        for n, size in itertools.product(of or NEEDED, (500, 700, 1400, 2800, 5600, 12_000, 24_000))
    ]


def structures(needed, gap):
    """At 100 to 400 examples a structure is learned from its own size on; its gap grows with data up to its own."""
    return [
        {
            "point": {"task.structure": name, "task.data_size": size},
            "data_size": size,
            "max_test_accuracy": 1.0 if size >= needed[name] else 0.2,
            "by_bridge": gap[name] * size / 400,
        }
        for name, size in itertools.product(needed, (100, 200, 400))
    ]


def test_the_exponent_is_that_of_the_data_needed():
    assert data_needed(made_up([10])) == pytest.approx(1000, rel=1e-6)
    assert exponent(made_up()) == pytest.approx(2, abs=1e-6)


def test_without_three_sizes_at_which_it_is_seen_there_is_no_exponent():
    assert math.isnan(exponent(made_up([10, 20])))
    unseen = [run | {"max_test_accuracy": 0.5} for run in made_up([40])]
    assert math.isnan(exponent(made_up([10, 20]) + unseen))


def cut(*accuracies, ood=0.1, test=0.5):
    return {f"cutoff_{k}": accuracy for k, accuracy in zip(LEVELS, accuracies, strict=True)} | {
        "final_ood_accuracy": ood,
        "final_test_accuracy": test,
    }


def test_accuracy_is_compared_between_the_cutoffs_of_one_run():
    rising, falling = cut(0.1, 0.2, None, 0.5, 0.9), cut(None, 0.9, 0.5, 0.1, None)
    too_few = cut(None, None, None, 0.3, 0.9)
    assert cutoff_correlation([rising]) == 1
    assert cutoff_correlation([rising, cut(0.2, None, 0.15, 0.0, 0.1, test=0.15)]) == 1  # has learned nothing
    assert cutoff_correlation([rising, falling, too_few]) == 0
    assert math.isnan(cutoff_correlation([too_few]))


def test_uncovered_examples_are_compared_with_those_that_nobody_can_know():
    runs = [cut(0.2, 1, 1, 1, 1, ood=0.1), cut(0.1, 1, 1, 1, 1, ood=0.2), cut(None, 1, 1, 1, 1)]
    assert uncovered_gain(runs[:1]) == pytest.approx(0.1)
    assert uncovered_gain(runs) == pytest.approx(0)
    assert math.isnan(uncovered_gain(runs[2:]))


def test_structures_are_compared_at_the_data_they_need_and_by_their_states():
    needed = {"two_hop": 200, "parallel_two_hop": 400, "non_tree": 1000}
    runs = structures(needed, {"two_hop": 0.8, "parallel_two_hop": 0.5, "non_tree": 0.1})
    assert more_for_parallel(runs) == pytest.approx(2, rel=0.2)
    assert non_tree_accuracy(runs) == pytest.approx(0.2)
    assert clusters_with_data(runs) == 1
    assert cluster_gap(runs) == pytest.approx(0.7)
