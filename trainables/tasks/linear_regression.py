"""In-context linear regression: predict y_t from x_t and the earlier pairs; the weights come from a pool of tasks.

Sources: Raventos et al. 2023 (arXiv 2306.15063), who find that above a threshold in the number of pretraining tasks a
transformer stops behaving like the Bayesian estimator over these tasks; Panwar et al. 2023 (2306.04891). An example is
`points` pairs of one task with weights w ~ N(0, I): x_t ~ N(0, I), y_t = w x_t + noise. Token t is (x_t, y_{t-1}) and
its answer y_t; with `pairs` it is (x_t, x_{t-1}, y_{t-1}), after von Oswald et al. 2023 (2212.07677), who put a pair
into one token.
Splits: `train` and `test` have fresh examples of the `num_tasks` training tasks, `ood` of new tasks. Three more splits
have the inputs of `ood` with an oracle's answers, so that the loss on them is the squared distance to that oracle:
`memorizer` is the posterior mean over the training tasks (dMMSE), `generalizer` that over all tasks (ridge regression),
and `midway` is halfway between the two. By the parallelogram law the three squared distances a, b, m give the squared
distance between the two oracles, 2 (a + b) - 4 m.
"""

# N examples, L points, D dimensions of x, V floats of the previous pair, M tasks

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce

MEMORIZER_FLOATS = 2**20
"""The memorizer holds at most this many misfits at a time, unless one example has more. 8 MB is five times as fast as
128 MB."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`data_size` examples of tasks from a pool of `num_tasks` weight vectors with `dimensions` entries."""

    dimensions: int = 4
    points: int = 8
    noise: float = 0.5
    """Standard deviation of the noise in y."""
    num_tasks: int = field(default=16, metadata={"per_run": True})
    data_size: int = 65536
    test_size: int = 1024
    pairs: bool = field(default=False, metadata={"absent": False})
    """True puts the whole previous pair into a token, so that the network need not learn to join x and y first."""

    pad = None
    label_corruption = 0.0
    drawn = True
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
        """All six splits. The same seed gives the same data on every machine."""
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
        """Weights of the training tasks, (M, D). A smaller pool is the beginning of a larger one."""
        draw = generator("regression:pool", seed)
        # torch draws normal numbers in blocks of 16: the first ones depend on the total unless it is a multiple of 16.
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
    """Posterior mean of each answer given the earlier pairs if all tasks of the pool are equally likely, (N, L)."""
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
    """Posterior mean of each answer given the earlier pairs if w ~ N(0, I), (N, L): ridge with penalty noise^2."""
    x_NLD, y_NL = split.inputs_NL[..., :dimensions].double(), split.targets_N.double()
    outer_NLDD = x_NLD[..., :, None] * x_NLD[..., None, :]
    gram_NLDD = outer_NLDD.cumsum(1) - outer_NLDD + noise**2 * torch.eye(x_NLD.shape[2], dtype=torch.float64)
    moment_NLD = x_NLD * y_NL[..., None]
    moment_NLD = moment_NLD.cumsum(1) - moment_NLD
    weights_NLD = torch.linalg.solve(gram_NLDD, moment_NLD[..., None])[..., 0]
    return (weights_NLD * x_NLD).sum(2).float()
