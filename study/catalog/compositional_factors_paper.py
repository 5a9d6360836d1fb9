"""Can a transformer use a verb that it has only seen alone, if it has seen 2, 20 and 200 times the verbs of SCAN?

The amounts of Zhou et al. 2023 (arXiv 2311.04420): the whole grammar, 3 layers, 50,000 steps of 128 commands. Their
model is an encoder with a decoder; ours continues the text of the command. Width and learning rate are ours. Needs a
GPU.
Prediction: as for `compositional_factors`, and accuracy near 1 with 20 and 200 times the verbs.
Finding: open.
"""

import dataclasses

from study.catalog import compositional_factors
from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import scan

STUDY = dataclasses.replace(
    compositional_factors.STUDY,
    question="Can a transformer use a verb seen only alone, if it has seen 2, 20 and 200 times the verbs of SCAN?",
    base=RunSpec(
        task=scan.Task(),
        model=gpt2.Model(layers=3, width=256, heads=4),
        optimizer=adamw.Optimizer(learning_rate=3e-4, weight_decay=0.1, warmup_steps=5000, clip_norm=1.0),
        batch_size=128,
        batch_order="hashed",
    ),
    axes={"task.primitives": (4, 8, 80, 800), "task.data_size": (3000, 12_000)},
    extra=tuple(
        {"task.primitives": verbs, "task.data_size": size}
        for verbs, sizes in {8: (24_000,), 80: (24_000, 240_000), 800: (24_000, 240_000, 2_400_000)}.items()
        for size in sizes
    ),
    seeds=5,
    horizon=50_000,
    evaluation_examples=1000,
)
