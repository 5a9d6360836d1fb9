"""Sparse parity and the digits: labels against a count, splits, and what nothing short of the rule can know."""

import itertools

import pytest
import torch

from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.tasks import digits
from trainables.tasks.parities import Task, different


def test_a_label_is_the_parity_of_the_relevant_bits():
    task = Task(n=15, k=3, data_size=400, test_size=100)
    for seed in range(3):
        places = task.relevant(seed).tolist()
        assert len(set(places)) == 3
        for split in task.build(seed).values():
            for bits, label in zip(split.inputs_NL.tolist(), split.targets_N.tolist(), strict=True):
                assert label == sum(bits[place] for place in places) % 2


def test_which_bits_count_follows_the_data_seed_and_every_bit_comes_up():
    task = Task(n=12, k=2, data_size=10, test_size=10)
    assert {place for seed in range(60) for place in task.relevant(seed).tolist()} == set(range(12))


def test_no_example_is_there_twice_where_many_of_all_are_drawn():
    rows = different(500, 10, generator("test", 0))
    assert len(rows.unique(dim=0)) == len(rows) == 500
    assert abs(rows.double().mean().item() - 0.5) < 0.03
    first, second = rows[:250].double().mean(0), rows[250:].double().mean(0)
    assert (first - second).abs().max() < 0.2, "rows come in random order"


def test_no_smaller_set_of_bits_tells_anything_of_the_label():
    task = Task(n=8, k=3, data_size=90, test_size=30)
    relevant = task.relevant(0).tolist()
    everything = torch.tensor(list(itertools.product((0, 1), repeat=8)))
    signs = 1 - 2 * everything
    labels = signs[:, relevant].prod(1)
    for size in range(3):
        for chosen in itertools.combinations(range(8), size):
            assert (signs[:, list(chosen)].prod(1) * labels).sum() == 0


def test_random_labels_have_the_same_examples_and_no_rule():
    true, random = (Task(data_size=2000, labels=labels).build(1)["train"] for labels in ("true", "random"))
    assert true.inputs_NL.equal(random.inputs_NL)
    assert 0.45 < (true.targets_N == random.targets_N).double().mean() < 0.55


def test_digits_are_the_images_of_scikit_learn_each_once():
    splits = digits.Task(data_size=1000, test_size=797).build(0)
    images = torch.cat([split.inputs_NL[:, 0] for split in splits.values()])
    assert images.shape == (1797, 64)
    assert len(images.unique(dim=0)) == 1797
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-5)
    commonest = torch.cat([split.targets_N for split in splits.values()]).bincount().max().item()
    assert digits.Task.chance_accuracy == commonest / digits.NUM_IMAGES


def test_fewer_digits_to_train_on_are_the_beginning_of_more_and_leave_the_test_alone():
    few, many = (digits.Task(data_size=size).build(2) for size in (50, 300))
    assert many["train"].inputs_NL[:50].equal(few["train"].inputs_NL)
    assert many["test"].inputs_NL.equal(few["test"].inputs_NL)


def test_the_nearest_training_image_mostly_has_the_same_digit():
    splits = digits.Task(data_size=300).build(0)
    train, test = splits["train"], splits["test"]
    nearest = torch.cdist(test.inputs_NL[:, 0], train.inputs_NL[:, 0]).argmin(1)
    assert (train.targets_N[nearest] == test.targets_N).double().mean() > 0.9


def test_what_cannot_be_is_refused(subtests):
    for kind, changes, message in [
        (Task, {"k": 0}, "k must be 1 or larger, got 0"),
        (Task, {"n": 5, "k": 6}, "k must be at most n=5, got 6"),
        (Task, {"labels": "wrong"}, "must be one of true, random, got 'wrong'"),
        (Task, {"n": 10, "data_size": 500, "test_size": 100}, "more than half of the 2"),
        (digits.Task, {"data_size": 1001}, "has 1797 images"),
        (digits.Task, {"data_size": 0}, "data_size must be 1 or larger, got 0"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            kind(**changes)
