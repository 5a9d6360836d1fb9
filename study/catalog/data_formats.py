"""How many sums does a small transformer need to learn addition, depending on how they are written?

The formats of Lee et al. 2023 (arXiv 2307.03381) scaled down for two CPU cores: numbers of two digits, and two layers
of width 32. Detailed scratchpads are only in `data_formats_paper`: their 75 tokens take ten times as long as the 9 of a
plain sum.
Prediction: plain sums need the most samples, reversed ones fewer, simplified scratchpads fewer still.
Finding (2026-11-21, 45 runs, 17 minutes on two very busy cores): the order is as predicted. Mean test accuracy with
500, 1000, 2000 and 4000 sums is 0.17, 0.68, 0.88 and 0.90 plain; 0.33, 0.86, 0.95 and 0.89 reversed (there one of
three runs had lost part of the training set again at the last step); 0.84, 0.93, 0.98 and 0.97 with simplified
scratchpads. With 250 sums all formats are below 0.1. Accuracy 0.9 takes more than 4000 sums plain, about 1430 reversed
and 820 with scratchpads; three seeds leave open whether the last two differ.
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
