"""Denoising: disks and noise, and the two oracles against what they must be."""

import math

import pytest
import torch

from trainables.answers import example_bytes
from trainables.data import Split
from trainables.errors import SpecError
from trainables.models import transformer
from trainables.probes import outputs
from trainables.seeds import generator
from trainables.tasks.denoising import RADII, Task, all_disks, disks, posterior_mean

SMALL = {"data_size": 400, "test_size": 100}


def test_a_disk_has_the_area_of_a_circle_and_lies_within_its_image():
    images = disks(torch.rand(200, 3, generator=generator("test", 0)), 12)
    assert images.min() == 0
    assert images.max() == 1
    borders = torch.stack([images.view(-1, 12, 12)[:, i, :] for i in (0, -1)])
    assert borders.sum(2).max() < images.sum(1).max() / 2
    for share in (0.0, 0.5, 1.0):
        radius = RADII[0] + share * (RADII[1] - RADII[0])
        area = float(disks(torch.tensor([[0.5, 0.5, share]]), 12).sum())
        assert area == pytest.approx(math.pi * (radius**2 + 1 / 12), rel=0.02)  # the ramp's second moment


def test_noise_is_on_the_inputs_and_the_answer_is_the_clean_image():
    task = Task(noise=0.3, num_images=5, **SMALL)
    splits, own = task.build(1), task.images(1)
    for name in ("train", "test"):
        residual = splits[name].inputs_NL[:, 0] - splits[name].targets_N
        assert float(residual.std()) == pytest.approx(0.3, rel=0.03)
        assert abs(float(residual.mean())) < 0.01
    assert all(any(image.equal(known) for known in own) for image in splits["train"].targets_N[:50])
    assert len(splits["train"].targets_N.unique(dim=0)) == 5
    assert torch.cdist(splits["test"].targets_N, own).min() > 0.1


def test_memory_counts_the_floats_of_both_images():
    assert example_bytes(Task(side=8)) == 2 * 64 * 4


def test_runs_of_different_data_seeds_share_no_image_and_more_images_hold_the_fewer():
    few, many = Task(num_images=50, **SMALL), Task(num_images=80, **SMALL)
    assert many.images(3)[:50].equal(few.images(3))
    assert torch.cdist(few.images(3), few.images(4)).min() > 0


def test_oracles_answer_the_questions_of_test():
    task = Task(num_images=7, **SMALL)
    splits = task.build(2)
    for name, images in (("memorizer", task.images(2)), ("generalizer", all_disks(8))):
        assert splits[name].inputs_NL.equal(splits["test"].inputs_NL)
        assert splits[name].targets_N.equal(posterior_mean(splits["test"], images, task.noise))


def test_the_posterior_mean_of_two_images_weighs_them_by_their_likelihood():
    images = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    noisy = Split(torch.tensor([[[0.5, 0.5]], [[1.0, 0.5]]]), torch.zeros(2, 2))
    even, second = posterior_mean(noisy, images, 0.5).tolist()
    assert even == pytest.approx([0.5, 0.5])
    weight = 1 / (1 + math.exp((0.25 - 1.25) / (2 * 0.25)))  # squared misfits 1.25 and 0.25
    assert second == pytest.approx([weight, weight])


def test_each_oracle_is_best_at_home_and_they_meet_where_images_fill_the_space():
    errors = {}
    for count in (10, 20_000):
        task = Task(noise=0.3, num_images=count, data_size=2000, test_size=500)
        splits, own = task.build(0), task.images(0)
        for where in ("train", "test"):
            for who, images in (("memorizer", own), ("generalizer", all_disks(8))):
                answers = posterior_mean(splits[where], images, task.noise)
                errors[count, where, who] = float((answers - splits[where].targets_N).square().mean())
    assert errors[10, "train", "memorizer"] < 0.3 * errors[10, "train", "generalizer"]
    assert errors[10, "test", "generalizer"] < 0.3 * errors[10, "test", "memorizer"]
    assert errors[20_000, "test", "memorizer"] == pytest.approx(errors[20_000, "test", "generalizer"], rel=0.1)


def test_a_finer_grid_of_disks_gives_the_same_posterior_mean():
    test = Task(noise=0.2, **SMALL).build(0)["test"]
    coarse, fine = (posterior_mean(test, all_disks(8, steps), 0.2) for steps in (20, 28))
    error = (coarse - test.targets_N).square().mean()
    assert (coarse - fine).square().mean() < 0.03 * error


def test_every_run_is_asked_about_the_same_panel():
    task = Task(**SMALL)
    panel, again = task.circuit(0, 40), task.circuit(5, 40)
    assert panel.inputs_NL.equal(again.inputs_NL)
    model = transformer.Model(layers=2, width=8, heads=2)
    module = model.build(task, generator("init", 0))
    with torch.no_grad():
        found = list(outputs.examine(module, panel))
        expected = module(panel.inputs_NL[: outputs.NUM_EXAMPLES])
    assert [value for *_, value in found] == pytest.approx(expected.flatten().tolist(), abs=1e-6)
    assert len({(position, metric) for _, position, metric, _ in found}) == len(found)


def test_what_cannot_be_is_refused(subtests):
    for changes, message in [
        ({"num_images": 0}, "num_images must be 1 or larger, got 0"),
        ({"side": 3}, "side must be 4 or larger, got 3"),
        ({"noise": 0.0}, "noise must be above 0, got 0.0"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            Task(**changes)
