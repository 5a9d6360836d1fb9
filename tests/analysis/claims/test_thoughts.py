"""The statistics of coverage_thoughts, on runs of which the answer is known."""

import itertools
import math

import pytest

from analysis.claims.coverage_thoughts import data_saved, exponent_saved, non_tree_behind


def made_up(thoughts: str, factor: float, power: float) -> list[dict]:
    """Two hops over n tokens need factor * n^power examples; accuracy rises by 0.2 for each factor of two."""
    return [
        {
            "point": {"task.chain_of_thought": thoughts, "task.n": n, "task.data_size": size},
            "data_size": size,
            "max_test_accuracy": min(1.0, max(0.0, 0.8 + 0.2 * math.log2(size / (factor * n**power)))),
        }
        for n, size in itertools.product((10, 20, 40), (100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200))
    ]


def test_savings_are_those_of_two_hops_with_the_bridge():
    runs = made_up("none", 10, 2) + made_up("bridges", 5, 2) + made_up("fake", 1, 2)
    assert data_saved(runs) == pytest.approx(math.log(0.5))
    assert exponent_saved(runs) == pytest.approx(0, abs=1e-6)
    assert exponent_saved(made_up("none", 10, 2) + made_up("bridges", 20, 1.5)) == pytest.approx(-0.5, abs=1e-6)


def test_what_is_not_seen_is_left_out():
    runs = made_up("none", 10, 2) + made_up("bridges", 5, 2)
    assert math.isnan(data_saved([run for run in runs if run["data_size"] < 400]))
    assert math.isnan(data_saved(made_up("none", 10, 2)))
    assert math.isnan(non_tree_behind(runs))


def test_non_trees_are_compared_with_two_hops_that_have_no_more_data():
    def runs(structure: dict, of_size: dict[int, float]) -> list[dict]:
        point = structure | {"task.chain_of_thought": "bridges", "task.n": 16}
        return [{"point": point, "data_size": size, "max_test_accuracy": value} for size, value in of_size.items()]

    non_trees = runs({"task.structure": "non_tree"}, {100: 0.9, 200: 0.4})
    assert non_tree_behind(non_trees + runs({}, {100: 0.7, 180: 0.9, 300: 1.0})) == pytest.approx(-0.5)
    assert math.isnan(non_tree_behind(non_trees + runs({}, {300: 1.0}))), "two hops with more data say nothing"
    other = [run | {"point": run["point"] | {"task.n": 12}} for run in runs({}, {100: 1.0})]
    assert math.isnan(non_tree_behind(non_trees + other))
