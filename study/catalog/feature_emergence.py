"""Which share of a group's table does a network need to see, and how does it fall with the order of the group?

Tian 2025 (Li2, arXiv 2509.21519) for two CPU cores: a quadratic network on cyclic groups of order 11 to 37. The extra
points have no weight decay.
Prediction: by Tian the critical fraction falls like log(M) / M; by Bi et al. 2026 (arXiv 2603.24746) it is constant. By
Tian nothing generalizes at 40% of the pairs without decay.
Finding: open.
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
    seeds=3,
    horizon=1500,
)
