"""Do the pathways of training examples through experts reveal that a transformer generalizes?

Li, Fan, Zhou 2025 (arXiv 2506.21551) scaled down for two CPU cores: three layers of 8 experts, of which each token uses
2, on addition modulo 23, where the training set is memorized long before the test set is answered.
Prediction: once test accuracy rises, pathways of memorized examples become more similar and smoother, and track test
accuracy more closely than the training loss does. Before that, while examples are memorized, they become less similar.
Finding (2026-11-21, 24 runs, 22 minutes on two very busy cores): the signs are as predicted, the strength is not, and
the loss is as good a sign. Training accuracy is 0.99 at step 180, test accuracy is 0.5 at step 650 and at best 0.77 to
1.0. Over the rise (15 to 27 evaluations) distance and test accuracy have a correlation of -0.70 [-0.87, -0.48],
negative in 16 of 18 runs; smoothness has 0.49 [0.30, 0.68], training loss -0.84. Distance goes from 0.716 at step 100
to 0.725 when the rise begins and to 0.680 at its end. Edits as the paper prints them, not divided by the length, rise
(0.63 [0.47, 0.77]), because routing becomes more even and pathways become longer, from 12.9 to 15.8 experts.
Anything that drifts with time correlates like this: the logarithm of the step at 0.96, routing entropy of the first
layer at 0.96. The six runs on random labels, which stay at chance, say more. From step 422 to 2000 their distance goes
from 0.725 to 0.714, that of the others from 0.725 to 0.675 (within classes from 0.67 to 0.68, and from 0.70 to 0.63);
smoothness from 0.70 to 0.64, and from 0.58 to 0.74; entropy from 0.97 or 0.98 to 1.00 in both. So distance and
smoothness go with generalization, and entropy does not.
What was tried: full batches generalize about as late at three times the cost; without clipping runs fall back; decay 2
at half the rate keeps the loss above 0.2 for 750 steps. Random labels without `pairs_together` reach 0.72 on the test
set, because a + b is b + a.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Do the pathways of training examples through experts reveal that a transformer generalizes?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=0.8),
        model=transformer.Model(layers=3, width=32, heads=4, norm="rms", experts=8, experts_per_token=2),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=1.0, warmup_steps=50, clip_norm=1.0),
        batch_size=128,
    ),
    axes={"task.train_fraction": (0.7, 0.75, 0.8)},
    # A control with nothing to generalize, not even that a + b is b + a: it shows what training alone does to pathways.
    extra=[{"task.train_fraction": 0.75, "task.labels": "random", "task.pairs_together": True}],
    seeds=12,
    horizon=2000,
    evaluations_per_decade=12,
    probes=("pathway",),
    probes_per_decade=24,
)
