"""Where does a small network memorize addition modulo 23, where does it grok, and where does it forget again?

The study of the README: a quadratic network on 8 training fractions x 4 weight decays x 4 seeds, which takes minutes on
two CPU cores.
Prediction: without decay, small fractions are memorized for good. Decay lets smaller fractions generalize, later and
later towards the boundary. With decay 15 runs first generalize and then collapse (Doshi et al. 2023 call it
forgetting).
Finding (2026-11-21): as predicted; see the picture in the README.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Where does a small network memorize addition modulo 23, and where does it grok?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=0.5),
        model=mlp.Model(width=128),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
        loss="mse",
    ),
    axes={
        "task.train_fraction": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        "optimizer.weight_decay": (0.0, 1.0, 5.0, 15.0),
    },
    seeds=4,
    horizon=1000,
)
