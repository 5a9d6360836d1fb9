"""Does a network without weight decay generalize later, the lazier it begins?

Kumar et al. 2023 (arXiv 2310.06110) on Gromov's quadratic network (2301.02679) for two CPU cores: addition modulo 23,
70% of the pairs, squared errors, gradient descent with momentum 0.9, no decay. The output is multiplied by a scale, and
the learning rate divided by its square, so that a network that stays lazy fits in as many steps at every scale. Extra
points: scale 1 with the rate of the largest scale, to tell the scale from the rate, and random labels at the largest
scale, where there is nothing to become rich for.
Prediction: the delay between fitting and generalizing rises with the scale, and not with the rate alone; the tangent
kernel turns to the labels between the two, where there is a rule to turn to.
What was tried: scales of 0.1 and 0.3 diverge at rate 1, 8 does not generalize in 4,000 steps; without momentum all
takes three times as many steps; with 75% of the pairs the delay is half as long. A test loss of half of that of no
answer, 1 by this measure, is not reached at scale 4 in 4,000 steps, so losses are compared at three quarters. Seeds 0
and 1 at scales 1 and 4 had been tried for 4,000 steps before the bars were set. At scale 1 with the small rate the
kernel's alignment goes from 0.114 at step 100 to 0.174 at the fit and to 0.251 at the passage.
Finding (2026-11-30, 84 runs; half of them take 103 seconds): as predicted. Median delays by accuracy are 3.6, 4.9, 6.8
and 12.8 at scales 1, 1.4, 2 and 2.8; at 4 six of twelve runs have not generalized by the horizon, so delay and ratio to
scale 1 are infinite there: inf [3.9, inf]. By loss the ratio is 9.3 [4.7, inf]. The rate alone does nothing: scale 1
with the rate of scale 4 has a delay of 3.3. Without decay 0.85 [0.76, 0.92] of the runs generalize late, where six
seeds, some of them known from trials, had 0.90 [0.81, 1.00] and passed the bar of 0.8. The ln of the norm rises by 0.37
[0.36, 0.39] in the six at scale 4 that generalize; it rises with random labels, too. The kernel's alignment at scale 4
goes from 0.126 at step 100 to 0.153 at the fit and to 0.225 at the passage or the end, 0.046 [0.041, 0.050] more after
the fit than before, and falls from 0.208 to 0.197 with random labels. But late alignment is not of lazy networks: at
scale 1 with its own rate it rises by 0.052 more after the fit than before, as much as at scale 4.
"""

from study.spec import Point, StudySpec
from trainables.models import mlp
from trainables.optimizers import sgd
from trainables.spec import RunSpec
from trainables.tasks import modular

SCALE, RATE = "model.output_scale", "optimizer.learning_rate"
BASE_RATE, LARGEST = 0.3, 4.0


def lazy(scale: float, rate: float = BASE_RATE) -> Point:
    """The point of a scale, with the rate that belongs to it."""
    return {SCALE: scale, RATE: rate / scale**2}


STUDY = StudySpec(
    question="Does a network without weight decay generalize later, the lazier it begins?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=0.7),
        model=mlp.Model(width=128),
        optimizer=sgd.Optimizer(learning_rate=BASE_RATE, momentum=0.9),
        loss="sse",
    ),
    axes={SCALE: (1.0,), RATE: (BASE_RATE, BASE_RATE / LARGEST**2)},
    extra=[
        *map(lazy, (1.4, 2.0, 2.8, LARGEST)),
        lazy(LARGEST) | {"task.labels": "random", "task.pairs_together": True},
    ],
    seeds=12,
    horizon=10_000,
    probes=("kernel_alignment",),
    probes_per_decade=24,
    leave_when_generalized=True,
)
