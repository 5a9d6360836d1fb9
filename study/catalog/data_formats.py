"""How many sums does a small transformer need to learn addition, depending on how they are written?

The formats of Lee et al. 2023 (arXiv 2307.03381) scaled down for two CPU cores: numbers of two digits, and two layers
of width 32. Detailed scratchpads are only in `data_formats_paper`: their 75 tokens take ten times as long as the 9 of a
plain sum.
Prediction: plain sums need the most samples, reversed ones fewer, simplified scratchpads fewer still.
Finding (2026-11-30, 144 runs, 6 minutes 15 on two cores): as predicted. Mean test accuracy with 500, 700, 1000, 1400,
2000 and 4000 sums is 0.17, 0.41, 0.70, 0.78, 0.85 and 0.87 plain; 0.37, 0.64, 0.87, 0.91, 0.91 and 0.90 reversed; 0.83,
0.92, 0.96, 0.96, 0.97 and 0.97 with simplified scratchpads. Plain sums do not reach 0.9 within 4000; simplified
scratchpads need 0.49 [0, 0.72] times as many sums as reversed ones.
What was tried before (2026-11-21): three seeds, other sizes and gradients that were not clipped. Runs then lost part of
their training set again late, and accuracy 0.9 took 1430 reversed sums and 820 with scratchpads, which three seeds did
not tell apart.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import arithmetic

STUDY = StudySpec(
    question="How many sums does a small transformer need to learn addition, depending on how they are written?",
    base=RunSpec(
        task=arithmetic.Task(digits=2, data_size=1000, test_size=500),
        model=transformer.Model(layers=2, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.1, warmup_steps=50, clip_norm=1.0),
        batch_size=32,
    ),
    axes={"task.format": ("plain", "reverse", "simplified"), "task.data_size": (500, 700, 1000, 1400, 2000, 4000)},
    seeds=8,
    horizon=2000,
    evaluations_per_decade=12,
    evaluation_examples=250,
)
