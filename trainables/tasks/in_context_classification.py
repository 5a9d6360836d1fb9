"""In-context classification: predict the class of x_t from earlier images and their classes; tasks come from a pool.

Source: Kirsch et al. 2022 (arXiv 2212.04458), whose transformers learn to learn when there are enough tasks. A task is
a random linear map of the images and a random permutation of their classes, so in an unknown task nothing tells the
class of the first image. An example is a sequence of `points` images of one task. Token t holds the class of the
previous image (one-hot, the first `classes` floats) and the mapped image x_t; its answer is the class of x_t.
Splits: `train` asks for every answer. `test` asks for the last answer in fresh examples of the training tasks, `ood`
for that in examples of new tasks; both use images that training does not see. `test_first` and `ood_first` ask for the
first answer of the same examples: the gain from first to last was learned from the example itself.
"""

# N examples, L points, I images, P pixels, D dimensions of x, C classes, T answers

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.answers import UNSCORED
from trainables.components import closest
from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce

BASES = ("clusters", "digits")
CLUSTER_IMAGES = 2000
HELD_OUT = 0.2
"""Share of the images that only `test` and `ood` use."""
BLOCK = 1024
"""Tasks are always drawn in blocks of this size, so that a smaller pool is the beginning of a larger one."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`data_size` examples of `points` images each, from `num_tasks` tasks."""

    base: str = "clusters"
    """`clusters`: one Gaussian cluster for each class; `digits`: the 8x8 digits of scikit-learn, 0 to `classes` - 1."""
    dimensions: int = 8
    """Dimensions of x, the image after the task's map. A cluster's image has equally many before it, a digit's 64."""
    classes: int = 3
    points: int = 12
    noise: float = 0.3
    """Standard deviation of a cluster in each dimension; centres are drawn from N(0, I). Not used for digits."""
    num_tasks: int = field(default=1024, metadata={"per_run": True})
    unpermuted_share: float = field(default=0.0, metadata={"per_run": True})
    """Share of the training examples whose classes are not permuted. It shortens the plateau at the beginning."""
    data_size: int = 32768
    test_size: int = 512

    pad = None
    label_corruption = 0.0
    drawn = True
    reads_vectors = True
    vocab_size = property(lambda self: self.classes + self.dimensions)
    num_classes = property(lambda self: self.classes)
    chance_accuracy = property(lambda self: 1 / self.classes)
    num_tokens = property(lambda self: self.points)
    num_answers = property(lambda self: self.points)
    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + 4 * self.test_size)

    def __post_init__(self) -> None:
        coerce(self)
        if self.base not in BASES:
            raise SpecError(
                f"in_context_classification.base {self.base!r} is not known. {closest(self.base, list(BASES))}"
            )
        at_least(self, dimensions=1, classes=2, points=2, num_tasks=1, data_size=1, test_size=1)
        if self.base == "digits" and self.classes > 10:
            raise SpecError(f"in_context_classification.classes must be at most 10 for digits, got {self.classes}.")
        if self.noise <= 0:
            raise SpecError(f"in_context_classification.noise must be above 0, got {self.noise}.")
        if not 0 <= self.unpermuted_share <= 1:
            raise SpecError(
                f"in_context_classification.unpermuted_share must be in [0, 1], got {self.unpermuted_share}."
            )

    def build(self, seed: int) -> dict[str, Split]:
        """All five splits. The same seed gives the same data on every machine."""
        seen, held_out = self.images(seed)
        chosen_N = torch.randint(self.num_tasks, (self.data_size,), generator=generator("in_context:chosen", seed))
        again_N = torch.randint(self.num_tasks, (self.test_size,), generator=generator("in_context:again", seed))
        kept_N = torch.rand(self.data_size, generator=generator("in_context:kept", seed)) < self.unpermuted_share
        never_N = torch.zeros(self.test_size, dtype=torch.bool)
        train = self._examples(seen, "train", "pool", chosen_N, kept_N, seed)
        test = self._examples(held_out, "test", "pool", again_N, never_N, seed)
        ood = self._examples(held_out, "ood", "new", torch.arange(self.test_size), never_N, seed)
        return {
            "train": train,
            "test": asking(test, -1),
            "ood": asking(ood, -1),
            "test_first": asking(test, 0),
            "ood_first": asking(ood, 0),
        }

    def images(self, seed: int) -> tuple[Split, Split]:
        """Training images (I, P) with classes (I,), and held-out ones; training pixels have mean 0 and variance 1."""
        images_IP, classes_I = clusters(self, seed) if self.base == "clusters" else digits(self.classes)
        order_I = torch.randperm(len(classes_I), generator=generator("in_context:images", seed))
        held_out = round(HELD_OUT * len(order_I))
        mean, deviation = images_IP[order_I[held_out:]].mean(), images_IP[order_I[held_out:]].std()
        images_IP = (images_IP - mean) / deviation
        parts = order_I[held_out:], order_I[:held_out]
        seen, unseen = (Split(images_IP[part_I], classes_I[part_I]) for part_I in parts)
        return seen, unseen

    def maps(self, pool: str, block: int, seed: int) -> tuple[Tensor, Tensor]:
        """Linear maps (BLOCK, P, D) and permutations (BLOCK, C) of the BLOCK tasks from number BLOCK * `block` on."""
        draw = generator(f"in_context:{pool}:{block}", seed)
        pixels = 64 if self.base == "digits" else self.dimensions
        maps = torch.randn(BLOCK, pixels, self.dimensions, generator=draw) / pixels**0.5
        return maps, torch.rand(BLOCK, self.classes, generator=draw).argsort(1)

    def _examples(self, images: Split, part: str, pool: str, task_N: Tensor, kept_N: Tensor, seed: int) -> Split:
        """One example for each task number in `task_N`; classes are not permuted where `kept_N` is True."""
        draw = generator(f"in_context:{part}", seed)
        image_NL = torch.randint(len(images.targets_N), (len(task_N), self.points), generator=draw)
        x_NLD = torch.empty(len(task_N), self.points, self.dimensions)
        classes_NL = images.targets_N[image_NL]
        for block in (task_N // BLOCK).unique().tolist():
            maps, permutations = self.maps(pool, block, seed)
            for rows in (task_N // BLOCK == block).nonzero()[:, 0].split(BLOCK):
                x_NLD[rows] = images.inputs_NL[image_NL[rows]] @ maps[task_N[rows] % BLOCK]
                permuted_NL = permutations[task_N[rows] % BLOCK].gather(1, classes_NL[rows])
                classes_NL[rows] = torch.where(kept_N[rows, None], classes_NL[rows], permuted_NL)
        before_NLC = F.one_hot(classes_NL, self.classes).float().roll(1, dims=1)
        before_NLC[:, 0] = 0
        return Split(torch.cat([before_NLC, x_NLD], dim=2), classes_NL)


def asking(split: Split, position: int) -> Split:
    """The same examples, asking only for the answer at one position."""
    targets_NT = torch.full_like(split.targets_N, UNSCORED)
    targets_NT[:, position] = split.targets_N[:, position]
    return Split(split.inputs_NL.clone(), targets_NT)


def clusters(task: Task, seed: int) -> tuple[Tensor, Tensor]:
    """Points (I, P) around the centres of their classes (I,); classes are equally frequent."""
    draw = generator("in_context:clusters", seed)
    centres_CP = torch.randn(task.classes, task.dimensions, generator=draw)
    classes_I = torch.arange(CLUSTER_IMAGES) % task.classes
    return centres_CP[classes_I] + task.noise * torch.randn(CLUSTER_IMAGES, task.dimensions, generator=draw), classes_I


def digits(classes: int) -> tuple[Tensor, Tensor]:
    """Images (I, 64) and labels (I,) of the 8x8 digits below `classes`. SpecError if scikit-learn is not installed."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SpecError(
            "in_context_classification.base 'digits' needs scikit-learn, which is not installed here. "
            "Install scikit-learn, or use 'clusters'."
        ) from None
    images_IP, classes_I = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
    return images_IP[classes_I < classes].float(), classes_I[classes_I < classes].long()
