"""Do memorization capacity and critical data size cross as the model grows? Is there double descent below the crossing?

Huang et al. 2024 (arXiv 2402.15175) study one-layer transformers; here a quadratic network modulo 23 shows the same
four dynamics on two CPU cores. The extra points train on random labels for every pair; their accuracy times the number
of pairs is the capacity.
Prediction: capacity rises with width and the critical data size falls. Small widths are in progression (test accuracy
rises while train accuracy is below 1); large ones memorize below the critical size and grok above it. Test accuracy
against width dips at 212 examples and does not at 317 or more.
Finding (2026-11-21, 216 runs): capacity rises from 95 pairs at width 4 to all 529 at width 64. From width 24 on the
critical size is between 238 and 291 examples and does not fall steadily, so the curves cross between widths 12 and 24.
At 212 examples accuracy rises to 0.45 at width 24 and falls again to 0.04 at 64; at 317 and more it only rises.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96)

STUDY = StudySpec(
    question="Do memorization capacity and critical data size cross as the model grows?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=None, data_size=264),
        model=mlp.Model(width=32),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=0.3),
        loss="mse",
    ),
    axes={"model.width": WIDTHS, "task.data_size": (159, 212, 264, 317, 370, 423, 476)},
    extra=[{"model.width": width, "task.data_size": 23**2, "task.labels": "random"} for width in WIDTHS],
    seeds=3,
    horizon=2000,
    definition="huang2024",
)
