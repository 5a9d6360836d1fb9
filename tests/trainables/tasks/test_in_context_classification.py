"""Classification in context: what tasks and images an example is made of, and what can be known of its answers."""

# N examples, L points, I images, P pixels, D dimensions of x, C classes, M tasks

import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from study.plan.packing import data_bytes
from tests.support.runs import trained
from trainables.answers import UNSCORED
from trainables.data import Split
from trainables.errors import SpecError
from trainables.models import gpt2, transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import in_context_classification
from trainables.tasks.in_context_classification import BLOCK, Task

SMALL = {"dimensions": 4, "points": 6, "data_size": 200, "test_size": 60}


def origins(task: Task, split: Split, num_tasks: int, seed: int) -> list[tuple[str, int] | None]:
    """The images and the task, among the first `num_tasks` of the pool, that give all of an example; None if none."""
    maps_MPD, permutations_MC = (part[:num_tasks] for part in task.maps("pool", 0, seed))
    found: list[tuple[str, int] | None] = [None] * len(split.targets_N)
    for name, images in zip(("seen", "held out"), task.images(seed), strict=True):
        for m, (map_PD, permutation_C) in enumerate(zip(maps_MPD, permutations_MC, strict=True)):
            x_ND, mapped_ID = split.inputs_NL[..., task.classes :].flatten(0, 1), images.inputs_NL @ map_PD
            exact = "donot_use_mm_for_euclid_dist"
            nearest, image = torch.cdist(x_ND, mapped_ID, compute_mode=exact).min(1)
            same = (nearest < 1e-4) & (permutation_C[images.targets_N[image]] == whole(task, split).flatten())
            for n in same.view(-1, task.points)[:, :-1].all(1).nonzero()[:, 0].tolist():
                assert found[n] is None
                found[n] = (name, m)
    return found


def whole(task: Task, split: Split) -> Tensor:
    """The answers at all positions, (N, L), as the tokens give them; the last is not known and 0."""
    return F.pad(split.inputs_NL[:, 1:, : task.classes].argmax(2), (0, 1))


def nearest_centroid(task: Task, split: Split) -> float:
    """Share of the last answers that are the class whose mean x before them is the nearest: no training, no pool."""
    x_NLD = split.inputs_NL[..., task.classes :]
    given_NLC = F.one_hot(whole(task, split), task.classes).float()[:, :-1]
    centres_NCD = given_NLC.transpose(1, 2) @ x_NLD[:, :-1] / given_NLC.sum(1).clamp(min=1)[..., None]
    distance_NC = (x_NLD[:, -1:] - centres_NCD).norm(dim=2)
    distance_NC = torch.where(given_NLC.sum(1) > 0, distance_NC, torch.inf)
    return float((distance_NC.argmin(1) == split.targets_N[:, -1]).float().mean())


def linear_accuracy(task: Task, fitted: Split, asked: Split) -> float:
    """Accuracy at the first position of a linear classifier of x alone that was fitted to other examples."""

    def features(split: Split) -> Tensor:
        return F.pad(split.inputs_NL[:, 0, task.classes :], (0, 1), value=1.0)

    weights_DC = torch.linalg.lstsq(features(fitted), F.one_hot(fitted.targets_N[:, 0], task.classes).float()).solution
    return float(((features(asked) @ weights_DC).argmax(1) == asked.targets_N[:, 0]).float().mean())


def test_a_token_is_the_answer_before_it_and_a_mapped_image():
    task = Task(**SMALL, num_tasks=3)
    for name, split in task.build(0).items():
        count = 200 if name == "train" else 60
        assert split.inputs_NL.shape == (count, 6, 3 + 4)
        assert split.inputs_NL[:, 0, :3].abs().max() == 0
        assert (split.inputs_NL[:, 1:, :3].sum(2) == 1).all()
    train = task.build(0)["train"]
    assert train.inputs_NL[:, 1:, :3].argmax(2).equal(train.targets_N[:, :-1])


def test_a_split_asks_for_every_answer_or_the_last_or_the_first():
    splits = Task(**SMALL, num_tasks=3).build(0)
    asked = {name: (split.targets_N != UNSCORED).all(0).tolist() for name, split in splits.items()}
    assert asked["train"] == [True] * 6
    for name in ("test", "ood"):
        assert asked[name] == [False] * 5 + [True]
        assert asked[f"{name}_first"] == [True] + [False] * 5
        assert splits[name].inputs_NL.equal(splits[f"{name}_first"].inputs_NL)
        assert splits[f"{name}_first"].targets_N[:, 0].equal(splits[name].inputs_NL[:, 1, :3].argmax(1))


@pytest.mark.parametrize("base", ["clusters", "digits"])
def test_training_has_each_task_of_the_pool_and_its_images_alone(base):
    task = Task(**SMALL | {"data_size": 60}, base=base, num_tasks=5)
    splits = task.build(1)
    assert set(origins(task, splits["train"], 5, 1)) == {("seen", m) for m in range(5)}
    assert set(origins(task, splits["test"], 5, 1)) == {("held out", m) for m in range(5)}
    assert set(origins(task, splits["ood"], 5, 1)) == {None}


@pytest.mark.parametrize("base", ["clusters", "digits"])
def test_held_out_images_are_disjoint_from_those_of_training_and_a_fifth(base):
    task = Task(base=base, classes=10)
    seen, held_out = ({tuple(image) for image in images.inputs_NL.tolist()} for images in task.images(2))
    assert not seen & held_out
    assert len(held_out) / len(seen | held_out) == pytest.approx(0.2, abs=0.01)
    images, classes = task.images(2)[0]
    assert float(images.mean()) == pytest.approx(0, abs=1e-4)
    assert float(images.std()) == pytest.approx(1, abs=1e-4)
    assert classes.bincount().min() > 0.08 * len(classes)


def test_tasks_of_a_smaller_pool_are_the_first_of_a_larger_one():
    few, many = (Task(**SMALL, num_tasks=num).build(4)["train"] for num in (3, BLOCK + 500))
    task = Task(**SMALL, num_tasks=3)
    assert {origin for origin in origins(task, few, 3, 4) if origin} == {("seen", m) for m in range(3)}
    assert sum(origin is None for origin in origins(task, many, 3, 4)) > 190
    first, second = (task.maps("pool", block, 4)[0] for block in (0, 1))
    assert first.equal(task.maps("pool", 0, 4)[0])
    assert not first.equal(second)


def test_examples_beyond_the_first_block_have_their_own_tasks():
    task = Task(**SMALL | {"data_size": 3000}, num_tasks=2 * BLOCK)
    known = origins(task, task.build(0)["train"], 0, 0)
    assert known == [None] * 3000
    maps_MPD, _ = task.maps("pool", 1, 0)
    chosen_N = torch.tensor([BLOCK + 7, 7])
    images = task.images(0)[0]
    never_N = torch.zeros(2, dtype=torch.bool)
    of_block, of_first = task._examples(images, "train", "pool", chosen_N, never_N, 0).inputs_NL[..., 3:]
    again = task._examples(images, "train", "pool", chosen_N % BLOCK, never_N, 0).inputs_NL[..., 3:]
    assert of_first.equal(again[1])
    image_LP = torch.linalg.solve(task.maps("pool", 0, 0)[0][7].T, again[0].T).T
    torch.testing.assert_close(image_LP @ maps_MPD[7], of_block, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("base", ["clusters", "digits"])
def test_the_first_answer_of_an_unseen_task_is_at_chance_and_of_a_known_one_is_not(base):
    task = Task(base=base, dimensions=8, points=2, num_tasks=1, data_size=2000, test_size=2000)
    splits = task.build(0)
    half = {name: [Split(*(t[part] for t in splits[name])) for part in (slice(1000), slice(1000, None))]
            for name in ("train", "test_first", "ood_first")}  # fmt: skip
    assert linear_accuracy(task, half["train"][0], half["test_first"][1]) > 0.85
    assert linear_accuracy(task, half["ood_first"][0], half["ood_first"][1]) == pytest.approx(1 / 3, abs=0.06)
    assert linear_accuracy(task, half["train"][0], half["ood_first"][1]) == pytest.approx(1 / 3, abs=0.06)


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"dimensions": 4, "classes": 2}, 0.9),
        ({"dimensions": 8, "classes": 3}, 0.9),
        ({"base": "digits", "dimensions": 32, "classes": 4, "points": 24}, 0.85),
    ],
)
def test_the_nearest_centroid_knows_the_last_answer_of_an_unseen_task(options, least):
    task = Task(**{"points": 12, "data_size": 1, "test_size": 1000} | options)
    assert nearest_centroid(task, task.build(0)["ood"]) > least > 1 / task.classes + 0.3


def test_unpermuted_examples_keep_the_classes_and_the_rest_does_not():
    rates = []
    for share in (0.0, 0.5, 1.0):
        task = Task(**SMALL | {"data_size": 2000}, num_tasks=400, unpermuted_share=share)
        plain = Task(**SMALL | {"data_size": 2000}, num_tasks=400).build(0)["train"]
        split = task.build(0)["train"]
        assert split.inputs_NL[..., 3:].equal(plain.inputs_NL[..., 3:])
        assert task.build(0)["test"].targets_N.equal(Task(**SMALL, num_tasks=400).build(0)["test"].targets_N)
        rates.append(float((split.targets_N != plain.targets_N).any(1).float().mean()))
    assert rates[0] == 0
    assert rates[2] == pytest.approx(5 / 6, abs=0.05)  # one of six permutations changes nothing
    assert rates[1] == pytest.approx(5 / 12, abs=0.05)


def run(**options: object) -> RunSpec:
    return RunSpec(
        task=Task(**{"dimensions": 4, "classes": 2, "points": 8, "data_size": 8192, "test_size": 200} | options),
        model=transformer.Model(layers=2, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, warmup_steps=20),
        batch_size=64,
    )


def test_one_task_is_learnt_and_many_are_learnt_to_be_learnt():
    one, many = run(num_tasks=1), run(num_tasks=4096)
    record = trained([one, many], 300, per_decade=1, evaluation_examples=200)

    def final(spec: RunSpec, split: str) -> float:
        return record.series(spec.run_id, split, "accuracy")[300]

    assert final(one, "test_first") > 0.95
    assert final(one, "ood") < 0.65
    assert final(many, "test_first") < 0.65
    assert min(final(many, "test"), final(many, "ood")) > 0.8
    assert record.series(many.run_id, "train", "token_accuracy")[300] > 0.75


def test_gpt2_reads_vectors_too_and_memory_counts_their_floats():
    spec = RunSpec(
        task=Task(**SMALL),
        model=gpt2.Model(layers=2, width=16, heads=2, dropout=0.0),
        optimizer=adamw.Optimizer(learning_rate=3e-3),
        batch_size=32,
    )
    losses = trained([spec], 30).series(spec.run_id, "train", "loss")
    assert losses[30] < losses[0]
    large = run(data_size=10**6)
    assert data_bytes([large]) > 1e6 * 8 * 4 * large.task.vocab_size


def test_what_cannot_be_is_refused(subtests):
    for changes, message in [
        ({"base": "mnist"}, "base 'mnist' is not known"),
        ({"classes": 1}, "classes must be 2 or larger, got 1"),
        ({"base": "digits", "classes": 11}, "classes must be at most 10 for digits, got 11"),
        ({"points": 1}, "points must be 2 or larger, got 1"),
        ({"noise": 0.0}, "noise must be above 0, got 0.0"),
        ({"unpermuted_share": 1.5}, r"unpermuted_share must be in \[0, 1\], got 1.5"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            Task(**(SMALL | changes))


def test_digits_without_scikit_learn_are_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SpecError, match="needs scikit-learn, which is not installed here"):
        Task(**SMALL, base="digits").build(0)
    assert in_context_classification.Task(**SMALL).build(0)
