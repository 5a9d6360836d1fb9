"""The statistics of emergence, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.emergence import brought_back, emergence_size, longer_list, postponed

SIZES = (100, 400, 1600)


def made_up(needed):
    """Three runs at each size; (list, split) generalizes from `needed` weights on, one seed less at that very size."""
    runs = []
    for (length, split), enough in needed.items():
        for size in SIZES:
            point = {"task.memorize": length} | ({"model.split_mlp": True} if split else {})
            seeds = 0 if size < enough else 2 if size == enough else 3
            runs += [{"num_params": size, "point": point, "test_step_95": 7 if i < seeds else None} for i in range(3)]
    return runs


def test_emergence_is_at_the_size_at_which_most_seeds_generalize():
    assert emergence_size(made_up({(0, False): 400})) == 400
    assert emergence_size(made_up({(0, False): math.inf})) == 1600
    assert math.isnan(emergence_size([]))


def test_sizes_with_and_without_a_list_and_with_split_mlps_are_compared():
    runs = made_up({(0, False): 100, (50, False): 1600, (90, False): 1600, (50, True): 400, (90, True): 400})
    assert postponed(runs) == 16
    assert brought_back(runs) == pytest.approx(0.25)
    assert longer_list(runs) == 1


def test_a_run_that_generalizes_at_step_0_has_generalized():
    runs = made_up({(0, False): 100, (50, False): 1600, (90, False): 1600, (50, True): 400})
    at_once = [run | {"test_step_95": 0 if run["test_step_95"] else None} for run in runs]
    assert (postponed(at_once), brought_back(at_once), longer_list(at_once)) == (16, pytest.approx(0.25), 1)


def test_where_nothing_generalizes_the_largest_size_is_a_bound_and_a_missing_reference_tells_nothing():
    runs = made_up({(0, False): 100, (50, False): math.inf, (50, True): math.inf})
    assert postponed(runs) == 16
    assert math.isnan(brought_back(runs))
    assert math.isnan(longer_list(runs))
    assert math.isnan(postponed(made_up({(0, False): math.inf, (50, False): 400})))
