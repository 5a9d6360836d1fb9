"""Which share of a group's table does a network need to see, and how does it fall with the order of the group?

Tian 2025 (Li2, arXiv 2509.21519) scaled down for two CPU cores: a quadratic network on cyclic groups of order 11 to 37.
The extra points have no weight decay.
Prediction: the critical fraction falls like log(M) / M according to Tian, and is constant according to Bi et al. 2026
(arXiv 2603.24746). According to Tian nothing generalizes at 40% of the pairs without decay.
Finding (2026-11-30, 225 runs, 3 minutes): the critical fraction falls, from 0.65 at order 11 to 0.45 at 23 and 0.35 at
37, like (log(M) / M)^0.78 [0.69, 0.86], so it is closer to Tian's law than to a constant; it is 3.18 [3.12, 3.31]
log(M) / M, where Tian has 2.75. Over all points where most runs with decay generalize, 30% of those without do, from
50% of the pairs at order 37 and 60% at order 29 on, and as soon. The backpropagated signal at the hidden units of
networks that fitted long ago has a cosine of 0.37 with the direction of Tian's lemma with decay and 0.02 without. Its
norm, however, is twice as large without decay, because AdamW's steps do not vanish with the gradient.
What was tried: first three seeds (135 runs). The power was 0.80 [0.70, 0.86], the constant 3.25 [3.15, 3.37]. A third
of the runs without decay generalized, and without decay the signal's norm was a third larger. Trials at order 29 had
width 256 and Adam at rate 1e-3 with coupled decay. With decay 2e-4 on errors averaged over classes they never fitted
(test accuracy 0.19 to 0.46). With 2e-4 / 29, which is like 2e-4 on summed errors, they generalized at steps 1,000 to
2,154. In 4,000 steps the signal's norm was 0.026 to 0.029 with decay and 0.005 to 0.011 without, as Tian says. The
whole study with these settings (loss `sse`, 350 runs) was begun; it would have taken half an hour.
"""

from itertools import product

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import group

GROUPS = ("Z11", "Z17", "Z23", "Z29", "Z37")

STUDY = StudySpec(
    question="How does the share of the pairs that a network needs fall with the order of the group?",
    base=RunSpec(
        task=group.Task(group="Z23", train_fraction=0.4),
        model=mlp.Model(width=128),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
        loss="mse",
    ),
    axes={"task.group": GROUPS, "task.train_fraction": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)},
    extra=[
        {"task.group": name, "task.train_fraction": fraction, "optimizer.weight_decay": 0.0}
        for name, fraction in product(GROUPS, (0.4, 0.5, 0.6))
    ],
    seeds=5,
    horizon=1500,
    probes=("backprop_signal",),
    probes_per_decade=12,
)
