"""How many sums does a small transformer need to learn addition, by how they are written?

The formats of Lee et al. 2023 (arXiv 2307.03381) for two CPU cores: numbers of two digits, two layers of width 32.
Prediction: plain needs the most samples, reverse fewer, simplified scratchpads fewer again, detailed ones the fewest.
Finding: open.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import arithmetic

STUDY = StudySpec(
    question="How many sums does a small transformer need to learn addition, by how they are written?",
    base=RunSpec(
        task=arithmetic.Task(digits=2, data_size=1000, test_size=500),
        model=transformer.Model(layers=2, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.1, warmup_steps=50),
        batch_size=32,
    ),
    axes={"task.format": ("plain", "reverse", "simplified"), "task.data_size": (250, 500, 1000, 2000, 4000)},
    extra=[{"task.format": "detailed", "task.data_size": size} for size in (125, 250, 500, 1000)],
    seeds=3,
    horizon=2000,
    evaluations_per_decade=12,
    evaluation_examples=250,
)
