"""Denoising: the input is a small image of a disk with noise, the answer is the clean image.

Source: Kadkhodaie et al. 2024 (arXiv 2310.02557). They train two denoisers on disjoint sets of images: with large sets
the two become the same function, with small sets each memorizes its own. Here runs with different data seeds are such
twins, because every run draws its own images. A disk's radius and the two coordinates of its centre are uniform.
Splits: `train` has noisy versions of the run's own `num_images` images, `test` noisy versions of new images. Two more
splits have the inputs of `test` with an oracle's answers, so that the loss on them is the distance to that oracle:
`memorizer` is the posterior mean over the run's own images, `generalizer` that over all disks.
"""

# N examples, M images, P pixels, K grid values on an axis, S side

from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor

from trainables.circuit import Circuit
from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce

RADII = (1.5, 3.0)
"""Smallest and largest radius, in pixels."""
PANEL_SEED = 0
"""Seed of the panel, the noisy images that are the same for every run, whatever its own seed."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`data_size` noisy versions of `num_images` clean images; an image has `side` by `side` pixels in [0, 1]."""

    side: int = 8
    noise: float = 0.5
    """Standard deviation of the noise on each pixel."""
    num_images: int = field(default=100, metadata={"per_run": True})
    data_size: int = 16384
    test_size: int = 512

    pad = None
    label_corruption = 0.0
    drawn = True
    chance_accuracy = None
    reads_vectors = True
    num_tokens = 1
    vocab_size = property(lambda self: self.side**2)
    num_classes = property(lambda self: self.side**2)
    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + 3 * self.test_size)

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, side=4, num_images=1, data_size=1, test_size=1)
        if self.noise <= 0:
            raise SpecError(f"denoising.noise must be above 0, got {self.noise}.")

    def build(self, seed: int) -> dict[str, Split]:
        """All four splits. Same seed, same data, on every machine."""
        images_MP = self.images(seed)
        chosen_N = torch.randint(len(images_MP), (self.data_size,), generator=generator("denoising:chosen", seed))
        test = self._noisy(self._drawn(self.test_size, "new", seed), "test", seed)
        return {
            "train": self._noisy(images_MP[chosen_N], "train", seed),
            "test": test,
            "memorizer": Split(test.inputs_NL, posterior_mean(test, images_MP, self.noise)),
            "generalizer": Split(test.inputs_NL, posterior_mean(test, all_disks(self.side), self.noise)),
        }

    def images(self, seed: int) -> Tensor:
        """The run's own images, (M, P). A smaller set is the beginning of a larger one."""
        return self._drawn(self.num_images, "own", seed)

    def circuit(self, seed: int, count: int) -> Circuit:
        """`count` noisy images, the same for every run: the outputs for them tell whether two denoisers agree."""
        del seed
        panel = self._noisy(self._drawn(count, "panel", PANEL_SEED), "panel", PANEL_SEED)
        return Circuit(panel.inputs_NL, panel.targets_N, ["image"], {}, {})

    def _drawn(self, count: int, part: str, seed: int) -> Tensor:
        return disks(torch.rand(count, 3, generator=generator(f"denoising:{part}", seed)), self.side)

    def _noisy(self, images_NP: Tensor, part: str, seed: int) -> Split:
        draw = generator(f"denoising:noise:{part}", seed)
        noise_NP = self.noise * torch.randn(images_NP.shape, generator=draw)
        return Split((images_NP + noise_NP)[:, None], images_NP)


def disks(places_M3: Tensor, side: int) -> Tensor:
    """Images (M, P) of disks: 1 inside, 0 outside, and a ramp one pixel wide at the edge.

    `places_M3` gives the centre and the radius as shares of their ranges, in [0, 1]. Every disk lies within its image.
    """
    smallest, largest = RADII
    radius_M = smallest + (largest - smallest) * places_M3[:, 2]
    centre_M2 = radius_M[:, None] + (side - 2 * radius_M[:, None]) * places_M3[:, :2]
    pixel_S = torch.arange(side) + 0.5
    pixel_P2 = torch.cartesian_prod(pixel_S, pixel_S)
    distance_MP = (pixel_P2 - centre_M2[:, None]).norm(dim=2)
    return (radius_M[:, None] - distance_MP + 0.5).clamp(0, 1)


@cache
def all_disks(side: int, steps: int = 20) -> Tensor:
    """Disks on a regular grid over all three ranges, (steps^3, P); their mean approximates the mean over all disks."""
    share_K = (torch.arange(steps) + 0.5) / steps
    return disks(torch.cartesian_prod(share_K, share_K, share_K), side)


@cache
def best_linear(side: int, noise: float) -> tuple[Tensor, Tensor]:
    """Weights (P, P) and bias (P,) of the affine denoiser with the smallest expected squared error over all disks."""
    disks_MP = all_disks(side).double()
    mean_P, covariance_PP = disks_MP.mean(0), disks_MP.T.cov(correction=0)
    noisy_PP = covariance_PP + noise**2 * torch.eye(len(mean_P), dtype=torch.float64)
    weights_PP = torch.linalg.solve(noisy_PP, covariance_PP)
    return weights_PP.float(), (mean_P - mean_P @ weights_PP).float()


def posterior_mean(split: Split, images_MP: Tensor, noise: float) -> Tensor:
    """Mean of the clean image given the noisy one when the M images are equally likely, (N, P).

    No denoiser has a smaller expected squared error if the clean images are drawn that way. `noise` is the standard
    deviation per pixel.
    """
    misfit_NM = torch.cdist(split.inputs_NL[:, 0].double(), images_MP.double()).square()
    return ((-misfit_NM / (2 * noise**2)).softmax(1) @ images_MP.double()).float()
