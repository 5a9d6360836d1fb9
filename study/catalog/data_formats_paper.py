"""How many sums does a GPT-2 need to learn addition of three digits, depending on how they are written?

Model and amounts of Lee et al. 2023 (arXiv 2307.03381): 6 layers, 6 heads, width 384, dropout 0.2, AdamW at 1e-3, sizes
from 500 to 40,000. Unlike in the paper the learning rate is constant, a batch has 256 examples instead of 256 blocks of
256 characters, all formats take equally many steps, and the text between two digits is one token. Needs a GPU.
Prediction: plain reaches about 85% with 10,000 samples; reverse passes 90% at about 2500 samples, simplified
scratchpads at 2000 and detailed ones at 1000.
Finding: open.
"""

import dataclasses

from study.catalog import data_formats
from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import arithmetic

SIZES = (500, 1000, 2000, 3000, 4000, 5000, 10_000, 20_000, 40_000)

STUDY = dataclasses.replace(
    data_formats.STUDY,
    question="How many sums does a GPT-2 need to learn addition of three digits, depending on how they are written?",
    base=RunSpec(
        task=arithmetic.Task(),
        model=gpt2.Model(layers=6, width=384, heads=6, dropout=0.2),
        optimizer=adamw.Optimizer(
            learning_rate=1e-3, weight_decay=0.1, beta2=0.99, warmup_steps=100, clip_norm=1.0, decay_vectors=False
        ),
        batch_size=256,
        batch_order="hashed",
    ),
    axes={"task.format": tuple(arithmetic.FORMATS), "task.data_size": SIZES},
    horizon=20_000,
    evaluation_examples=2000,
)
