"""Does test accuracy fall and rise again with the width where the data size is below the crossing, and only there?

Huang et al. 2024 (arXiv 2402.15175) study one-layer transformers; here a quadratic network modulo 23 learns a + b. The
extra points train on random labels for every pair, which gives each width's capacity.
Prediction: below the data size at which the curves of capacity and critical size cross, accuracy falls between small
models in progression and large ones that grok; above it there is no dip.
Finding (2026-11-21, 243 runs): as predicted for a + b. At 212 examples test accuracy is 0.46 at width 24, 0.02 at 64
and 0.81 at 128; at 232 it is 1.00 at 48, 0.13 at 64 and 1.00 from 96 on; at 291 and 370 it only rises. The curves cross
at 289 examples, so close to 291 that the seeds do not decide on which side 291 lies. The twin turns out to be easier
here, because hidden units square their input: 1.00 from width 64 on at 212 examples, and a dip of 0.09.
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
