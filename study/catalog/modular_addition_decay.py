"""Does weight decay move the boundary between memorizing and generalizing modular addition in a transformer?

One layer, full batch, AdamW, as in Nanda et al. 2023 (arXiv 2301.05217), small enough for two CPU cores: p = 31,
width 32.
Prediction: as the decay grows, the smallest fraction that generalizes falls, and the delay falls with it. Without decay
nothing near the boundary generalizes within the horizon; too much decay prevents fitting.
Finding (2026-11-30, 300 runs; half of them take 7 minutes 38): mostly as predicted. Half of the runs generalize by step
3,000 from 0.70 of the pairs on at decay 0.3, 0.56 at 1 and 0.40 at 3; at 0 and 0.1 from nowhere on. At 0.8 the median
is 1,868 steps at decay 0.3, 383 at 1 and 310 at 3: a power of -0.79 [-1.1, -0.27]. At 0.6 and 0.7 there are two decays
with a median only. Fitting takes 100 to 163 steps, a little more with more decay (power 0.21 [0.16, 0.35]). No decay on
this axis prevents it. With five seeds what decay does to the data was undecided; seeds were doubled once.
What was tried: only these settings (rate 0.003, 3,000 steps), with three, five and ten seeds. With three (90 runs) most
seeds generalized from 0.8 of the pairs on at decay 0.3, 0.6 at 1 and 0.5 at 3, and from nowhere on at 0 and 0.1. At 0.8
this took 1,960, 825 and 215 steps, while fitting took 100 to 150.
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
