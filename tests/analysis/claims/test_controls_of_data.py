"""Controls where data decides: learners without what a paper found must reproduce none of its claims."""

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims import (
    compositional_factors,
    coverage_principle,
    coverage_thoughts,
    data_formats,
    denoising_twins,
    double_descent,
    emergence,
    grokked_transformers,
    in_context_regression,
    instruction_diversity,
    learning_to_learn,
    pathways,
    ungrokking,
)
from tests.support.controls import SEEDS, cases, verdict

Points = list[dict[str, Any]]


def runs_of(points: Points, facts) -> Runs:
    """A run with these facts of each point and seed."""
    return [
        {"run_id": f"{i}-{seed}", "seed": seed, "point": point} | facts(point)
        for i, point in enumerate(points)
        for seed in range(SEEDS)
    ]


def grid(**axes: tuple) -> Points:
    """All points over the axes, of which `__` stands for the dot of a path."""
    names = [name.replace("__", ".") for name in axes]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*axes.values())]


def table(numbers: np.random.Generator) -> Runs:
    """Answers from four fifths of all examples on, whatever covers them, and its states are noise."""

    def facts(point):
        inputs = 4 if point["task.structure"] == "parallel_two_hop" else 3
        share = 0.4 * point["task.data_size"] / point["task.n"] ** inputs
        accuracy = min(1.0, share) + 0.01 * numbers.normal()
        cutoffs = {f"cutoff_{k}": accuracy + 0.05 * numbers.normal() for k in coverage_principle.LEVELS}
        found = {"max_test_accuracy": accuracy, "final_test_accuracy": accuracy, "final_ood_accuracy": 0.0}
        return found | cutoffs | {"data_size": point["task.data_size"], "by_bridge": 0.1 * numbers.normal()}

    def sizes(n):
        return tuple(round(share * n**3) for share in (0.5, 1, 2, 4))

    points = [
        point
        for n in (12, 16, 20)
        for point in grid(task__structure=("two_hop",), task__n=(n,), task__data_size=sizes(n))
    ]
    others = grid(
        task__structure=("parallel_two_hop", "non_tree"), task__n=(16,), task__data_size=(*sizes(16), 32_000, 140_000)
    )
    return runs_of(points + others, facts)


def deaf_to_thoughts(numbers: np.random.Generator) -> Runs:
    """Needs 4 n^2 examples with and without a chain of thought, of any structure."""

    def facts(point):
        needed = 4 * point["task.n"] ** 2 * math.exp(0.1 * numbers.normal())
        accuracy = 1 / (1 + (needed / point["task.data_size"]) ** 3)
        return {"data_size": point["task.data_size"], "max_test_accuracy": accuracy}

    points = grid(
        task__chain_of_thought=("none", "bridges"), task__n=(12, 16, 20), task__data_size=(300, 900, 2700, 8100)
    )
    trees = [point | {"task.structure": "non_tree"} for point in points if point["task.n"] == 16]
    return runs_of(points + trees, facts)


def deaf_to_formats(numbers: np.random.Generator) -> Runs:
    """Learns from 1,000 examples on, however they are written."""

    def facts(point):
        needed = 1000 * math.exp(0.1 * numbers.normal())
        accuracy = 1 / (1 + (0.3 * needed / point["task.data_size"]) ** 3)
        return {"data_size": point["task.data_size"], "final_test_accuracy": accuracy}

    return runs_of(grid(task__format=("plain", "reverse", "simplified"), task__data_size=(300, 900, 2700)), facts)


def linear_denoisers(numbers: np.random.Generator) -> Runs:
    """The best linear answers with some noise of their own, however many images there are."""
    linear_2A = denoising_twins.linear_answers(8, 0.2)
    spec = json.dumps({"task": {"side": 8, "noise": 0.2}})

    def facts(point):
        outputs = 500 * linear_2A[1] + numbers.normal(size=linear_2A.shape[1])
        losses = {"train_loss": 0.02, "test_loss": 0.02 * math.exp(0.02 * numbers.normal()), "to_generalizer": 0.012}
        return losses | {"outputs": outputs.tolist(), "spec": spec, "to_memorizer": 0.012}

    return runs_of(grid(task__num_images=(3, 100, 3000)), facts)


def untrained(numbers: np.random.Generator) -> Runs:
    """Follows unseen rules by chance, however many it has seen."""

    def facts(point):
        return {"data_size": point["task.data_size"], "final_ood_accuracy": 0.1 * numbers.random()}

    return runs_of(grid(task__rules=(64, 128, 256, 1024), task__data_size=(8192, 32_768)), facts)


def deaf_to_examples(numbers: np.random.Generator) -> Runs:
    """Answers the last query of an example no better than the first."""

    def facts(point):
        names = ("first_test_accuracy", "final_test_accuracy", "first_ood_accuracy", "final_ood_accuracy")
        found = {name: 0.33 + 0.05 * numbers.normal() for name in names}
        return found | {"width": point["model.width"], "chance_accuracy": 1 / 3}

    return runs_of(grid(task__num_tasks=(4, 64, 256, 4096), model__width=(16, 48)), facts)


def remembers_commands(numbers: np.random.Generator) -> Runs:
    """Knows the commands of its training and some new ones; nothing of a verb that it saw alone."""

    def facts(_):
        new = {"final_test_accuracy": 0.5 + 0.1 * numbers.normal(), "final_ood_accuracy": 0.02 * numbers.random()}
        return new | {"final_train_accuracy": 1 - 0.02 * numbers.random()}

    return runs_of(grid(task__primitives=(4, 16, 64), task__data_size=(500, 8000)), facts)


def between_the_oracles(numbers: np.random.Generator) -> Runs:
    """As far from ridge as from the memorizer, with any number of tasks, and all the time."""

    def facts(_):
        share = 0.5 + 0.02 * numbers.normal()
        losses = {"to_ridge": 0.1, "new_task_loss": 0.3, "separation": 0.1 * math.exp(0.1 * numbers.normal())}
        return losses | {"ridge_share": share, "highest_ridge_share": share + 0.01}

    return runs_of(grid(task__num_tasks=(4, 16, 128)), facts)


def drifting_pathways(numbers: np.random.Generator) -> Runs:
    """Pathways and loss that drift with time, on random labels as well as on others."""

    def facts(point):
        random = point.get("task.labels") == "random"
        names = ("distance_change", "edits_change", "loss_change", "distance_while_fitting")
        found: dict[str, float] = {name: -0.3 + 0.1 * numbers.normal() for name in names}
        accuracy = 0.04 if random else 0.9
        return found | {"smoothness_change": 0.3 + 0.1 * numbers.normal(), "final_test_accuracy": accuracy}

    return runs_of([{"task.train_fraction": 0.7}, {"task.train_fraction": 0.75, "task.labels": "random"}], facts)


def forgets_at_its_decays_size(numbers: np.random.Generator) -> Runs:
    """Needs more data with less decay, as much to keep generalizing as to begin; it is at chance or perfect."""

    def facts(point):
        decay, size = point["optimizer.weight_decay"], point["task.data_size"]
        knows = size > 150 / math.sqrt(decay) * math.exp(0.1 * numbers.normal())
        found = {"weight_decay": decay, "data_size": size, "final_test_accuracy": float(knows), "still_moves": 0.0}
        return found | {"phase": "grokking" if knows else "memorization"}

    axes = {"full_data_steps": (0, 500), "optimizer.weight_decay": (0.3, 1.0, 3.0)}
    return runs_of(grid(**axes, task__data_size=(60, 83, 115, 159, 219, 303, 420)), facts)


def keeps_what_it_knows(numbers: np.random.Generator) -> Runs:
    """Continued runs generalize with any data."""
    forgetful = forgets_at_its_decays_size(numbers)
    return [run | {"final_test_accuracy": 1.0} if run["point"]["full_data_steps"] else run for run in forgetful]


def deaf_to_width(numbers: np.random.Generator) -> Runs:
    """Accuracy rises with data alone, the twin's as well; random labels are fitted as far as any width can."""

    def facts(point):
        size, random = point["task.data_size"], point.get("task.labels") == "random"
        found = {"width": point["model.width"], "data_size": size, "final_train_accuracy": 0.5}
        return found | {"final_test_accuracy": 0.0 if random else size / 529 + 0.02 * numbers.normal()}

    widths, sizes = (16, 32, 64, 128), (212, 264, 330, 423)
    points = grid(task__operation=("add", "square_of_sum"), model__width=widths, task__data_size=sizes)
    return runs_of(points + grid(task__labels=("random",), model__width=widths, task__data_size=(529,)), facts)


def deaf_to_lists(numbers: np.random.Generator) -> Runs:
    """Additions generalize in three of four runs of any width, beside any list and in any MLP."""

    def facts(point):
        return {"num_params": 100 * point["model.width"], "test_step_95": 9 if numbers.random() < 0.75 else None}

    return runs_of(grid(model__width=(16, 32, 64), task__memorize=(0, 180, 361), model__split_mlp=(False, True)), facts)


def knows_all_or_nothing(numbers: np.random.Generator) -> Runs:
    """Generalizes at a step of its seed alone, in distribution and out of it, and its states are noise."""

    def facts(point):
        found = {name: point[path] for name, path in (("ratio", "task.ratio"), ("weight_decay", "decay"))}
        found |= {"layers": point["layers"], "data_size": point["size"], "train_step_90": 100, "chance_accuracy": 0.5}
        names = ("strength_r1_at_end", "strength_r1_at_fit", "strength_h_at_end", "strength_h_at_fit", "r2_at_end")
        found |= {name: 0.3 + 0.1 * numbers.normal() for name in (*names, "r2_at_fit")}
        found |= {"least_bridge": 0.2 * numbers.random(), "test_step_90": round(500 * math.exp(0.3 * numbers.normal()))}
        return found | {"final_ood_accuracy": 0.7 + 0.1 * numbers.normal()}

    axes = {"decay": (0.03, 0.3), "layers": (1, 2), "size": (1000, 4000), "model.loops": (1, 2)}
    return runs_of(grid(**axes, task__ratio=(6, 12)), facts)


def rises_slowly(numbers: np.random.Generator) -> Runs:
    """Learns more from the examples with every doubling of its tasks, and nothing with the fewest."""

    def facts(point):
        known = max(0.0, 0.06 * math.log2(point["task.num_tasks"] / 4) + 0.01 * numbers.normal())
        found = {"first_test_accuracy": 1.0 - known, "final_test_accuracy": 1.0, "first_ood_accuracy": 0.33}
        widths = {"width": point["model.width"], "chance_accuracy": 1 / 3}
        return found | widths | {"final_ood_accuracy": 0.33 + known}

    return runs_of(grid(task__num_tasks=(4, 16, 64, 256, 1024, 4096), model__width=(16, 48)), facts)


def follows_slowly(numbers: np.random.Generator) -> Runs:
    """Follows unseen rules in more runs with every doubling of the rules."""

    def facts(point):
        follows = math.log2(point["task.rules"] / 32) > numbers.permutation(SEEDS)[0] + 0.5
        return {"data_size": point["task.data_size"], "final_ood_accuracy": 0.8 if follows else 0.0}

    return runs_of(grid(task__rules=(32, 64, 128, 256, 512, 1024, 2048), task__data_size=(8192, 32_768)), facts)


CONTROLS = {
    table: coverage_principle,
    deaf_to_thoughts: coverage_thoughts,
    deaf_to_formats: data_formats,
    linear_denoisers: denoising_twins,
    untrained: instruction_diversity,
    deaf_to_examples: learning_to_learn,
    remembers_commands: compositional_factors,
    between_the_oracles: in_context_regression,
    drifting_pathways: pathways,
    forgets_at_its_decays_size: ungrokking,
    keeps_what_it_knows: ungrokking,
    deaf_to_width: double_descent,
    deaf_to_lists: emergence,
    rises_slowly: learning_to_learn,
    follows_slowly: instruction_diversity,
    knows_all_or_nothing: grokked_transformers,
}
TRUE_OF_IT = {
    forgets_at_its_decays_size: {"generalization_is_lost"},
    deaf_to_width: {"above_the_crossing"},
    deaf_to_lists: {"length_of_the_list_matters_little"},
    rises_slowly: {"few_tasks_are_memorized", "many_tasks_are_learnt_to_be_learnt"},
    follows_slowly: {"few_rules_never", "diversity_at_constant_data", "few_examples_suffice"},
}
"""What a control does show."""


@pytest.mark.parametrize(("control", "claim"), cases(CONTROLS, TRUE_OF_IT))
def test_a_learner_without_the_finding_does_not_reproduce_it(control, claim):
    assert verdict(claim, control(np.random.default_rng(0))) != REPRODUCED
