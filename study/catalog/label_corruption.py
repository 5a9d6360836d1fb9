"""Can a network generalize and still memorize corrupted labels, or unlearn them, as weight decay grows?

Doshi et al. 2023 (arXiv 2310.13061): data fraction x label corruption x weight decay for a quadratic network; here
modulo 31, for two CPU cores.
Prediction: without decay, generalization and memorized corruption coexist where there is enough data; decay 10 inverts
it (test accuracy is high, corrupted labels are not fitted); with decay 15 runs forget or never fit.
Finding (2026-11-30, 400 runs, 34 minutes on two cores that others used much): under `doshi2023`, as predicted but for
coexistence without decay. There all 10 runs with a corruption of 0.1 coexist from fraction 0.7 on, 2 of 5 with 0.2 at
fraction 0.9, and none with more; decay 5 makes it 10 of 10 with 0.2 from fraction 0.7 on. At decay 10 all runs with 0.2
(from fraction 0.7 on) and 0.3 (at 0.9) are in full inversion, and had fitted the wrong labels before. At decay 15 every
run that had generalized forgets. Without decay two of the ten lightly corrupted runs pass 0.9, too few to say how many
wrong labels those keep that generalize. Partial inversion does not occur on this axis of decays.
What was tried: width 160, rate 0.01 and 1,000 steps throughout, first with two seeds (160 runs). Without decay and at 5
these were in coexistence or memorized. Single runs at decays 7 and 9 were in partial inversion.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Can a network generalize and still memorize corrupted labels, or unlearn them, as weight decay grows?",
    base=RunSpec(
        task=modular.Task(p=31, train_fraction=0.5),
        model=mlp.Model(width=160),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=5.0),
        loss="mse",
    ),
    axes={
        "task.train_fraction": (0.3, 0.5, 0.7, 0.9),
        "task.label_corruption": (0.0, 0.1, 0.2, 0.3, 0.4),
        "optimizer.weight_decay": (0.0, 5.0, 10.0, 15.0),
    },
    seeds=5,
    horizon=1000,
    definition="doshi2023",
)
