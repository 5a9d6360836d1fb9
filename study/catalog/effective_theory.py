"""Does a network comprehend, grok, memorize or stay confused, depending on how fast its decoder learns and decays?

Liu et al. 2022 (arXiv 2205.10343): sums of two numbers below 10 from a one-dimensional embedding. The axes are learning
rate and weight decay of the decoder; those of the embedding are fixed. All seeds share one split, in which every
held-out sum also occurs in training with other numbers. Compared with the paper the rates are ten times as large, the
horizon is a tenth, and the decoder is 50 units wide.
Prediction: all four phases occur. A decoder that is fast compared with the embedding memorizes, a slow one comprehends,
grokking lies next to memorization, and with more and more decay nothing is learned.
Finding (2026-11-30, 125 runs, 69 seconds): all four phases occur. All runs are confused at decay 6, and at rate 0.03
from decay 3 on. At decays 0 and 1, 8 of 10 runs memorize at rate 0.03, 4 of 10 at 0.01 and 1 of 30 below. Grokking (18
runs that generalize 100 steps or more after they fit) lies at decays 2 and 3, between comprehension and what has more
decay: at one rate of the decoder at 0.36 [0.26, 0.42] of the way, where the authors' grids have 0.52 and 0.58. Runs
that generalize have 0.15 [0.10, 0.20] more of the parallelograms.
"""

from study.spec import StudySpec
from trainables.models import decoder
from trainables.optimizers import two_rates
from trainables.spec import RunSpec
from trainables.tasks import integer_addition

STUDY = StudySpec(
    question="Does a network comprehend, grok, memorize or stay confused, depending on its decoder's rate and decay?",
    base=RunSpec(
        task=integer_addition.Task(p=10),
        model=decoder.Model(width=50),
        optimizer=two_rates.Optimizer(learning_rate=1e-3, representation_rate=0.01),
        data_seed=1,
    ),
    axes={
        "optimizer.learning_rate": (0.001, 0.003, 0.006, 0.01, 0.03),
        "optimizer.weight_decay": (0.0, 1.0, 2.0, 3.0, 6.0),
    },
    seeds=5,
    horizon=10_000,
    fixed_split=True,
)
