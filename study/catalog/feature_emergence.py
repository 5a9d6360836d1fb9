"""Which share of a group's table does a network need to see, and how does it fall with the order of the group?

Tian 2025 (Li2, arXiv 2509.21519) scaled down for two CPU cores: a quadratic network on cyclic groups of order 11 to 37,
with the paper's Adam, coupled decay 2e-4 and squared errors summed over classes. The extra points have no decay.
Prediction: the critical fraction falls like log(M) / M according to Tian, and is constant according to Bi et al. 2026
(arXiv 2603.24746). According to Tian nothing generalizes at 40% of the pairs without decay, and no signal comes back to
the hidden units once the output layer has fitted.
Finding: open.
What was tried before (2026-11-21, 135 runs): AdamW at rate 0.01, decay 1, errors averaged over classes, width 128. The
fraction fell from 0.65 at order 11 to 0.35 at 37, like (log(M) / M)^0.80 [0.70, 0.86]. But runs generalized without
decay, too, and their signal was larger: AdamW's steps do not vanish with the gradient. With errors averaged, a coupled
decay is as many times too strong as there are classes.
"""

from itertools import product

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adam, adamw
from trainables.spec import RunSpec
from trainables.tasks import group

GROUPS = ("Z11", "Z17", "Z23", "Z29", "Z37")
WITH_ADAMW = RunSpec(
    task=group.Task(group="Z23", train_fraction=0.4),
    model=mlp.Model(width=128),
    optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
    loss="mse",
)
"""Of `feature_emergence_groups` and `feature_emergence_muon`, which ask for shares of the pairs, and for no signal."""

STUDY = StudySpec(
    question="How does the share of the pairs that a network needs fall with the order of the group?",
    base=RunSpec(
        task=group.Task(group="Z23", train_fraction=0.4),
        model=mlp.Model(width=256),
        optimizer=adam.Optimizer(learning_rate=1e-3, weight_decay=2e-4),
        loss="sse",
    ),
    axes={
        "task.group": GROUPS,
        "task.train_fraction": (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75),
    },
    extra=[
        {"task.group": name, "task.train_fraction": fraction, "optimizer.weight_decay": 0.0}
        for name, fraction in product(GROUPS, (0.4, 0.5, 0.6))
    ],
    seeds=5,
    horizon=4000,
    probes=("backprop_signal",),
    probes_per_decade=12,
)
