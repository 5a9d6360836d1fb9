"""How much data does a transformer need to compose two random tables, at the size of Chang et al. 2025?

GPT-2 with 8 layers over n = 50 to 200 tokens (arXiv 2505.20278 and its code: AdamW at 8e-4 after 2,000 steps of
warm-up, decay 0.1, batch 4096, 62,500 steps). Data sizes are 3 to 11 n^2, and 30,000 for every n; the paper does not
give its own. Needs a GPU.
Prediction: as `coverage`, with exponent 2.26; at 50 tokens accuracy jumps near 20,000 examples.
Finding: open.
"""

import dataclasses

from study.catalog import coverage
from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import hops

TOKENS = (50, 70, 100, 140, 200)


def paper(task: hops.Task) -> RunSpec:
    """A run at the paper's size."""
    return RunSpec(
        task=task,
        model=gpt2.Model(layers=8, width=768, heads=12),
        optimizer=adamw.Optimizer(
            learning_rate=8e-4,
            weight_decay=0.1,
            beta2=0.999,
            warmup_steps=2000,
            clip_norm=1.0,
            decay_vectors=False,
        ),
        batch_size=4096,
        batch_order="hashed",
        precision="bfloat16",
    )


STUDY = dataclasses.replace(
    coverage.STUDY,
    base=paper(hops.Task(structure="two_hop", n=50, data_size=30_000)),
    axes={"task.n": TOKENS, "task.data_size": (30_000,)},
    extra=[{"task.n": n, "task.data_size": round(m * n**2)} for n in TOKENS for m in (3, 4.5, 6, 7.5, 9, 11)],
    seeds=5,
    horizon=62_500,
    evaluation_examples=None,
    evaluation_share=None,
)
