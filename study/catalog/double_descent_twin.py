"""Does (a + b)^2 need more data than a + b before a transformer generalizes, and is it the harder twin?

Huang et al. 2024 (arXiv 2402.15175) use it as the twin of a + b that is as hard to memorize and harder to generalize:
double descent is deeper where the critical size is larger. In `double_descent`, whose hidden units square their input,
the twin is the easier task; here both are learned by a one-layer transformer modulo 23, as in the paper modulo 113.
Prediction: the twin needs more data than a + b.
Finding (2026-11-30, 72 runs): as predicted. Mean test accuracy passes a half with 240 examples for a + b and with 275
for (a + b)^2, 1.15 [1.02, 1.35] times as many. With 180 to 370 examples it is 0.17, 0.33, 0.57, 0.73, 0.91 and 0.93 for
the one, and 0.12, 0.21, 0.29, 0.63, 0.80 and 0.85 for the other.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Does (a + b)^2 need more data than a + b before a transformer generalizes?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=None, data_size=212),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
    ),
    axes={"task.operation": ("add", "square_of_sum"), "task.data_size": (180, 212, 250, 291, 330, 370)},
    seeds=6,
    horizon=1500,
    definition="huang2024",
)
