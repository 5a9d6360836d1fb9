"""How many tasks must a transformer train on before it learns a new one, towards the size of Kirsch et al. 2022?

arXiv 2212.04458: examples of 100 images, up to 2^18 tasks, several widths, and at one width other batch sizes. MNIST
is not in this project: the images are the 1797 digits of scikit-learn with all their 64 pixels. Training repeats a
table of 2^18 examples many times, where the paper draws new ones for each step. A smaller epsilon shortens the plateau
at the beginning, as does `task.unpermuted_share`. Needs a GPU, with 8 GB for the examples of each run.
Prediction: memorization up to about 2^12 tasks, learning to learn from 2^13 or 2^14 on, only with large batches.
Finding: open.
"""

import dataclasses

from study.catalog import learning_to_learn
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import in_context_classification

STUDY = dataclasses.replace(
    learning_to_learn.STUDY,
    base=RunSpec(
        task=in_context_classification.Task(
            base="digits", dimensions=64, classes=10, points=100, data_size=2**18, test_size=4096
        ),
        model=transformer.Model(layers=4, width=256, heads=8, norm="layer"),
        optimizer=adamw.Optimizer(learning_rate=3e-4, weight_decay=0.0, epsilon=1e-10, warmup_steps=1000),
        batch_size=512,
        batch_order="hashed",
    ),
    axes={
        "task.num_tasks": tuple(2**k for k in (0, 4, 8, 10, 11, 12, 13, 14, 15, 16, 18)),
        "model.width": (64, 128, 256, 512),
    },
    extra=[
        {"task.num_tasks": 2**k, "model.width": 256, "batch_size": size}
        for k in (8, 12, 13, 14, 16)
        for size in (32, 128)
    ],
    horizon=50_000,
    evaluations_per_decade=12,
    evaluation_examples=4096,
)
