"""Does test accuracy fall and rise again with the width where the data size is below the crossing, and only there?

Huang et al. 2024 (arXiv 2402.15175) study one-layer transformers; here a quadratic network modulo 23 learns a + b. The
extra points train on random labels for every pair, which gives each width's capacity.
Prediction: below the data size at which the curves of capacity and critical size cross, accuracy falls between small
models in progression and large ones that grok; above it there is no dip.
Finding (2026-11-30, 225 runs, 5 minutes 42): as predicted. At 212 examples test accuracy is 0.48 at width 32, 0.03 at
64 and 0.84 at 128; at 232 it is 1.00 at 48, 0.11 at 64 and 1.00 at 128; at 330 and 423 it only rises. The curves cross
at 293 examples. Sizes of before, 291 and 370, left open on which side of the crossing the smaller one lies.
What was tried: within 2,000 steps, widths of 64 and more do not rise again.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128)

STUDY = StudySpec(
    question="Does test accuracy fall and rise again with the width below the crossing, and only there?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=None, data_size=212),
        model=mlp.Model(width=32),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=0.3),
        loss="mse",
    ),
    axes={
        "task.operation": ("add",),
        "model.width": WIDTHS,
        "task.data_size": (212, 232, 330, 423),
    },
    extra=[{"model.width": width, "task.data_size": 23**2, "task.labels": "random"} for width in WIDTHS],
    seeds=5,
    horizon=8000,
    definition="huang2024",
)
