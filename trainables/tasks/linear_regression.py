"""Linear regression in context: predict y_t from x_t and the pairs before it, with weights drawn from a pool of tasks.

Sources: Raventos et al. 2023 (arXiv 2306.15063), who find that above a diversity of pretraining tasks a transformer
stops being the Bayesian estimator over them; Panwar et al. 2023 (2306.04891). An example is `points` pairs with one
task's weights w ~ N(0, I): x_t ~ N(0, I), y_t = w x_t + noise. Token t is (x_t, y_{t-1}), the answer there is y_t;
with `pairs` it is (x_t, x_{t-1}, y_{t-1}), as in von Oswald et al. 2023 (2212.07677) a pair is one token.
Splits: `train` and `test`, fresh examples, from the `num_tasks` tasks of training; `ood` from new tasks. Three more ask
the same questions as `ood` and have an oracle's answers, so that their loss is a distance: `memorizer`, the posterior
mean over the tasks of training (dMMSE), `generalizer`, over all tasks (ridge regression), and `midway`, halfway
between: by the parallelogram law the three distances a, b, m tell how far apart the oracles are, 2 (a + b) - 4 m.
"""

# N examples, L points, D dimensions of x, V floats of what came before, M tasks

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce

MEMORIZER_FLOATS = 2**20
"""Misfits that the memorizer holds at a time, 8 MB: five times as fast as 128 MB. One example's may be more."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`num_tasks` weight vectors of `dimensions` are the pool; `data_size` examples are drawn from it."""

    dimensions: int = 4
    points: int = 8
    noise: float = 0.5
    """Standard deviation of the noise in y."""
    num_tasks: int = field(default=16, metadata={"per_run": True})
    data_size: int = 65536
    test_size: int = 1024
    pairs: bool = field(default=False, metadata={"absent": False})
    """True puts the whole pair before into a token: the network need not first learn to join x and y."""

    pad = None
    label_corruption = 0.0
    chance_accuracy = None
    num_classes = 1
    reads_vectors = True
    vocab_size = property(lambda self: (2 * self.dimensions if self.pairs else self.dimensions) + 1)
    num_tokens = property(lambda self: self.points)
    num_answers = property(lambda self: self.points)
    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + 5 * self.test_size)

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, dimensions=1, points=2, num_tasks=1, data_size=1, test_size=1)
        if self.noise <= 0:
            raise SpecError(f"linear_regression.noise must be above 0, got {self.noise}.")

    def build(self, seed: int) -> dict[str, Split]:
        """All six splits. Same seed, same data, on every machine."""
        pool_MD = self.pool(seed)
        new_MD = torch.randn(self.test_size, self.dimensions, generator=generator("regression:new", seed))
        chosen = torch.randint(len(pool_MD), (self.data_size,), generator=generator("regression:chosen", seed))
        again = torch.randint(len(pool_MD), (self.test_size,), generator=generator("regression:again", seed))
        ood = self._examples(new_MD, "ood", seed)
        memorized_NL = memorizer(ood, pool_MD, self.noise)
        generalized_NL = generalizer(ood, self.dimensions, self.noise)
        return {
            "train": self._examples(pool_MD[chosen], "train", seed),
            "test": self._examples(pool_MD[again], "test", seed),
            "ood": ood,
            "memorizer": Split(ood.inputs_NL, memorized_NL),
            "generalizer": Split(ood.inputs_NL, generalized_NL),
            "midway": Split(ood.inputs_NL, (memorized_NL + generalized_NL) / 2),
        }

    def pool(self, seed: int) -> Tensor:
        """Weights of the tasks of training, (M, D); those of a smaller pool are the first of a larger one."""
        draw = generator("regression:pool", seed)
        # torch draws normal numbers by sixteen: only of whole sixteens do the first not depend on how many follow.
        return torch.randn(-(-self.num_tasks // 16) * 16, self.dimensions, generator=draw)[: self.num_tasks]

    def _examples(self, weights_ND: Tensor, part: str, seed: int) -> Split:
        draw = generator(f"regression:{part}", seed)
        x_NLD = torch.randn(len(weights_ND), self.points, self.dimensions, generator=draw)
        noise_NL = self.noise * torch.randn(len(weights_ND), self.points, generator=draw)
        y_NL = (x_NLD * weights_ND[:, None]).sum(2) + noise_NL
        seen_NLV = torch.cat([x_NLD, y_NL[..., None]] if self.pairs else [y_NL[..., None]], dim=2)
        before_NLV = torch.cat([torch.zeros_like(seen_NLV[:, :1]), seen_NLV[:, :-1]], dim=1)
        return Split(torch.cat([x_NLD, before_NLV], dim=2), y_NL)


def memorizer(split: Split, pool_MD: Tensor, noise: float) -> Tensor:
    """Posterior mean of each answer given the pairs before it when every task of the pool is as likely, (N, L)."""
    num_tasks, dimensions = pool_MD.shape
    size = max(1, MEMORIZER_FLOATS // (num_tasks * split.targets_N.shape[1]))
    parts = zip(split.inputs_NL[..., :dimensions].split(size), split.targets_N.split(size), strict=True)
    return torch.cat([_posterior_mean(x_NLD.double(), y_NL.double(), pool_MD.double(), noise) for x_NLD, y_NL in parts])


def _posterior_mean(x_NLD: Tensor, y_NL: Tensor, pool_MD: Tensor, noise: float) -> Tensor:
    answers_NLM = x_NLD @ pool_MD.T
    misfit_NLM = (y_NL[..., None] - answers_NLM).square()
    before_NLM = misfit_NLM.cumsum(1) - misfit_NLM
    return ((-before_NLM / (2 * noise**2)).softmax(2) * answers_NLM).sum(2).float()


def generalizer(split: Split, dimensions: int, noise: float) -> Tensor:
    """Posterior mean of each answer given the pairs before it under w ~ N(0, I): ridge with penalty noise^2, (N, L)."""
    x_NLD, y_NL = split.inputs_NL[..., :dimensions].double(), split.targets_N.double()
    outer_NLDD = x_NLD[..., :, None] * x_NLD[..., None, :]
    gram_NLDD = outer_NLDD.cumsum(1) - outer_NLDD + noise**2 * torch.eye(x_NLD.shape[2], dtype=torch.float64)
    moment_NLD = x_NLD * y_NL[..., None]
    moment_NLD = moment_NLD.cumsum(1) - moment_NLD
    weights_NLD = torch.linalg.solve(gram_NLDD, moment_NLD[..., None])[..., 0]
    return (weights_NLD * x_NLD).sum(2).float()
