"""Do the pathways of training examples through experts reveal that a transformer of the paper's small size generalizes?

nanoMoE, the model that Li, Fan, Zhou 2025 (arXiv 2506.21551) train themselves: 6 layers, 6 heads, width 384, 8 experts
as large as an MLP, of which each token uses 2. Theirs has experts in every second layer, so pathways of three layers;
here every layer has experts, and no loss balances them. Instead of web text it learns the composition of Wang et al.
(2405.15071), for which we know when it is memorized and when it generalizes. Needs a GPU.
Prediction: as in `pathways`.
Finding: open.
"""

import dataclasses

from study.catalog import pathways
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import composition

STUDY = dataclasses.replace(
    pathways.STUDY,
    base=RunSpec(
        task=composition.Task(ratio=9.0),
        model=transformer.Model(
            layers=6, width=384, heads=6, norm="rms", mlp_ratio=32.0, experts=8, experts_per_token=2
        ),
        optimizer=adamw.Optimizer(
            learning_rate=3e-4, weight_decay=0.1, beta2=0.95, warmup_steps=2000, clip_norm=1.0, decay_vectors=False
        ),
        batch_size=512,
        batch_order="hashed",
        precision="bfloat16",
    ),
    axes={"task.ratio": (9.0, 12.6), "optimizer.weight_decay": (0.1, 0.3)},
    extra=(),
    seeds=5,
    horizon=200_000,
    evaluation_examples=3000,
    definition="wang2024",
)
