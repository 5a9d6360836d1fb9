"""Do memorization capacity and critical data size cross as the model grows? Is there double descent below the crossing?

Huang et al. 2024 (arXiv 2402.15175) scaled down for two CPU cores: a one-layer transformer on addition modulo 23 with
weight decay 1. The extra points train on random labels for every pair; their accuracy times the number of pairs is the
capacity.
Prediction: capacity rises with width and the critical data size falls. Small widths are in progression (test accuracy
rises while train accuracy is below 1); large ones memorize below the critical size and grok above it. The norm falls
while a run groks, and rises in progression.
Finding: open.
What was tried before: a quadratic network with squared errors and decay 0.3. Its critical size did not fall from width
24 on, because squared units compute a sum of products, and its norm rose while it grokked, from a small beginning.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64)

STUDY = StudySpec(
    question="Do memorization capacity and critical data size cross as the model grows?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=None, data_size=264),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
    ),
    axes={"model.width": WIDTHS, "task.data_size": (212, 264, 317, 370, 423)},
    extra=[{"model.width": width, "task.data_size": 23**2, "task.labels": "random"} for width in WIDTHS],
    seeds=5,
    horizon=3000,
    definition="huang2024",
)
