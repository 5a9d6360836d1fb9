"""Which share of a group's multiplication table does a network need to see, at the size of Tian 2025?

Figure 5 of Li2 (arXiv 2509.21519): 2048 hidden units, Adam with coupled decay 2e-4 at rate 5e-4, 20 seeds, prime and
composite orders. Errors are summed over classes, as in the authors' code; initial weights are ours. The paper does not
list its orders and fractions; ours lie around its constant 2.7482. Needs a GPU.
Prediction: as `feature_emergence`; at order 71 and 40% runs generalize with decay 2e-4 and not with 0 (its Figure 3).
Finding: open.
"""

import dataclasses

from study.catalog import feature_emergence
from trainables.models import mlp
from trainables.optimizers import adam
from trainables.spec import RunSpec
from trainables.tasks import group

GROUPS = ("Z23", "Z36", "Z53", "Z71", "Z97", "Z127")

STUDY = dataclasses.replace(
    feature_emergence.STUDY,
    base=RunSpec(
        task=group.Task(group="Z71", train_fraction=0.4),
        model=mlp.Model(width=2048),
        optimizer=adam.Optimizer(learning_rate=5e-4, weight_decay=2e-4, beta2=0.999),
        loss="sse",
    ),
    axes={"task.group": GROUPS, "task.train_fraction": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)},
    extra=[{"task.group": name, "task.train_fraction": 0.4, "optimizer.weight_decay": 0.0} for name in GROUPS],
    seeds=20,
    horizon=10_000,
)
