"""Does a network comprehend, grok, memorize or stay confused by how fast its decoder learns and decays?

Liu et al. 2022 (arXiv 2205.10343): sums of two numbers below 10 from a one-dimensional embedding, learning rate and
decay of the decoder as axes, those of the embedding fixed, and one split for all seeds, every held-out sum of which was
trained on with other numbers. Rates are ten times and the horizon a tenth of the paper's, the decoder 50 units wide.
Prediction: all four phases; a decoder that is fast beside the embedding memorizes, a slow one comprehends, grokking
lies next to memorization, and with more and more decay nothing is learned.
Finding (2026-11-21, 75 runs): all four phases. All runs are confused at decay 6, and at rate 0.03 from decay 2 on; with
less decay 5 of 6 memorize at rate 0.03, 7 of 12 at 0.01, and 1 of 36 below. Grokking, 9 runs that generalize 100 steps
and more after they fit, stands at decays 2 and 3 beside confusion, not between the others by rate. Runs that generalize
have all but 0.3% of the parallelograms, those that memorize 65%, those that are confused 90%.
"""

from study.spec import StudySpec
from trainables.models import decoder
from trainables.optimizers import two_rates
from trainables.spec import RunSpec
from trainables.tasks import integer_addition

STUDY = StudySpec(
    question="Does a network comprehend, grok, memorize or stay confused by how fast its decoder learns and decays?",
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
    seeds=3,
    horizon=10_000,
    fixed_split=True,
)
