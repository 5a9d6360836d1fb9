"""Do the pathways of training examples through experts tell that a transformer generalizes?

Li, Fan, Zhou 2025 (arXiv 2506.21551) for two CPU cores: three layers of 8 experts, of which a token goes to 2, on
addition modulo 23, where all that is trained on is memorized long before the rest is answered.
Prediction: once test accuracy rises, pathways of memorized examples come closer to each other and get smoother, and
follow it more closely than the training loss does; before, while examples are memorized, they go apart.
Finding: not yet run.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Do the pathways of training examples through experts tell that a transformer generalizes?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=0.8),
        model=transformer.Model(layers=3, width=32, heads=4, norm="rms", experts=8, experts_per_token=2),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=1.0, warmup_steps=50, clip_norm=1.0),
        batch_size=128,
    ),
    axes={"task.train_fraction": (0.7, 0.75, 0.8)},
    # There is nothing to generalize, not even that a + b is b + a: what training alone does to pathways.
    extra=[{"task.train_fraction": 0.75, "task.labels": "random", "task.pairs_together": True}],
    seeds=6,
    horizon=2000,
    evaluations_per_decade=12,
    probes=("pathway",),
    probes_per_decade=24,
)
