"""Regression in context: tokens and answers, and the two estimators against what they must be."""

import math

import pytest
import torch

from trainables.data import Split
from trainables.errors import SpecError
from trainables.tasks import linear_regression
from trainables.tasks.linear_regression import Task, generalizer, memorizer

SMALL = {"dimensions": 3, "points": 6, "data_size": 200, "test_size": 50}


def test_a_token_is_a_point_and_the_answer_before_it():
    task = Task(**SMALL, num_tasks=4)
    for name, split in task.build(0).items():
        assert split.inputs_NL.shape == (200 if name == "train" else 50, 6, 4)
        assert split.targets_N.shape == split.inputs_NL.shape[:2]
        assert split.inputs_NL[:, 0, -1].abs().max() == 0
    train = task.build(0)["train"]
    assert train.inputs_NL[:, 1:, -1].equal(train.targets_N[:, :-1])


def test_a_token_may_hold_the_whole_pair_before_it_and_nothing_else_changes():
    plain, pairs = (Task(**SMALL, num_tasks=4, pairs=pairs) for pairs in (False, True))
    assert pairs.vocab_size == 7
    shifted = plain.build(0)
    for name, split in pairs.build(0).items():
        x = shifted[name].inputs_NL[..., :3]
        assert split.inputs_NL[..., :3].equal(x)
        assert split.inputs_NL[:, 1:, 3:6].equal(x[:, :-1])
        assert split.inputs_NL[..., 6].equal(shifted[name].inputs_NL[..., 3])
        assert split.inputs_NL[:, 0, 3:].abs().max() == 0
        assert split.targets_N.equal(shifted[name].targets_N)


def test_a_smaller_pool_is_the_first_of_a_larger_one(subtests):
    for dimensions in [1, 3, 8]:
        with subtests.test(dimensions=dimensions):
            largest = Task(dimensions=dimensions, num_tasks=3000).pool(4)
            for num_tasks in (1, 2, 5, 15, 16, 17, 250, 2999):
                assert Task(dimensions=dimensions, num_tasks=num_tasks).pool(4).equal(largest[:num_tasks])
            assert largest.mean(0).abs().max() < 0.1
            assert (largest.var(0) - 1).abs().max() < 0.15


def test_training_examples_come_from_the_pool_and_others_from_new_tasks():
    task = Task(**SMALL, num_tasks=4)
    splits, pool = task.build(1), task.pool(1)
    for name, near in (("train", True), ("test", True), ("ood", False)):
        x, y = splits[name].inputs_NL[..., :-1], splits[name].targets_N
        misfit = (y[..., None] - x @ pool.T).square().mean(1).min(1).values
        assert (misfit < 4 * task.noise**2).float().mean() > 0.95 if near else misfit.median() > 2 * task.noise**2
    assert not splits["train"].inputs_NL[:50].equal(splits["test"].inputs_NL)


def test_oracles_answer_the_questions_of_ood():
    task = Task(**SMALL, num_tasks=4)
    splits = task.build(2)
    for name in ("memorizer", "generalizer"):
        assert splits[name].inputs_NL.equal(splits["ood"].inputs_NL)
    assert splits["memorizer"].targets_N.equal(memorizer(splits["ood"], task.pool(2), task.noise))
    assert splits["generalizer"].targets_N.equal(generalizer(splits["ood"], 3, task.noise))


def test_distances_to_both_oracles_and_to_midway_tell_how_far_apart_the_oracles_are():
    splits = Task(**SMALL, num_tasks=4).build(2)
    answers = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    near, far, half = (
        float((answers - splits[name].targets_N).square().mean()) for name in ("memorizer", "generalizer", "midway")
    )
    apart = float((splits["memorizer"].targets_N - splits["generalizer"].targets_N).square().mean())
    assert 2 * (near + far) - 4 * half == pytest.approx(apart, rel=1e-4)


def test_a_memorizer_of_one_task_knows_it_and_of_two_goes_to_the_likelier():
    x = torch.tensor([[[1.0, 0.0], [1.0, 3.0]]])  # x = 1, then x = 1 with y = 3 before it
    split = Split(x, torch.tensor([[3.0, 3.0]]))
    assert memorizer(split, torch.tensor([[3.0]]), 0.5).tolist() == [[3.0, 3.0]]
    first, second = memorizer(split, torch.tensor([[3.0], [1.0]]), 1.0)[0].tolist()
    weight = 1 / (1 + math.exp(-2.0))  # misfits 0 and 4, of variance 1
    assert first == pytest.approx(2.0)
    assert second == pytest.approx(3 * weight + (1 - weight))


def test_a_memorizer_of_many_tasks_answers_a_few_examples_at_a_time(monkeypatch):
    task = Task(**SMALL, num_tasks=40)
    at_once = task.build(3)["memorizer"].targets_N
    monkeypatch.setattr(linear_regression, "MEMORIZER_FLOATS", 3 * 6 * 40 + 1)  # three of 50 examples
    assert task.build(3)["memorizer"].targets_N.allclose(at_once, rtol=1e-6)


def test_the_generalizer_is_ridge_regression():
    split = Task(**SMALL, noise=0.3).build(5)["ood"]
    x, y = split.inputs_NL[7, :, :-1], split.targets_N[7]
    by_hand = torch.linalg.solve(x[:4].T @ x[:4] + 0.09 * torch.eye(3), x[:4].T @ y[:4]) @ x[4]
    assert float(generalizer(split, 3, 0.3)[7, 4]) == pytest.approx(float(by_hand), rel=1e-4)
    assert generalizer(split, 3, 0.3)[:, 0].abs().max() == 0


def test_with_many_tasks_the_memorizer_becomes_the_generalizer_and_each_is_best_at_home():
    few, many = (Task(dimensions=3, points=8, data_size=1, test_size=300, num_tasks=m) for m in (8, 8_000))
    error = {}
    for name, task in (("few", few), ("many", many)):
        splits, pool = task.build(0), task.pool(0)
        for where in ("test", "ood"):
            for who, answers in (
                ("memorizer", memorizer(splits[where], pool, task.noise)),
                ("generalizer", generalizer(splits[where], 3, task.noise)),
            ):
                error[name, where, who] = float((answers - splits[where].targets_N).square().mean())
    assert error["few", "test", "memorizer"] < 0.8 * error["few", "test", "generalizer"]
    assert error["few", "ood", "generalizer"] < 0.8 * error["few", "ood", "memorizer"]
    assert error["many", "ood", "memorizer"] == pytest.approx(error["many", "ood", "generalizer"], rel=0.03)
    assert all(value > few.noise**2 for value in error.values())


def test_what_cannot_be_is_refused(subtests):
    for changes, message in [
        ({"num_tasks": 0}, "num_tasks must be 1 or larger, got 0"),
        ({"points": 1}, "points must be 2 or larger, got 1"),
        ({"noise": 0.0}, "noise must be above 0, got 0.0"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            Task(**(SMALL | changes))
