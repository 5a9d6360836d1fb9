"""How many rules must GPT-2 train on before it follows a rule that it has not seen?

The model and amounts of Zhang et al. 2024 (arXiv 2402.10891), Figure 2a: 6 layers, 4 heads, width 256, a million
examples divided among the rules, and 100,000 examples of unseen rules. We do not know the paper's alphabet, lengths,
learning rate and steps; these are ours. Needs a GPU.
Prediction: fewer than 300 rules never generalize, 1000 and more always do; the transition is at about 400.
Finding: open.
"""

import dataclasses

from study.catalog import instruction_diversity
from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import rewrite

STUDY = dataclasses.replace(
    instruction_diversity.STUDY,
    question="How many rules must GPT-2 train on before it follows a rule that it has not seen?",
    base=RunSpec(
        task=rewrite.Task(rules=1000, data_size=1_000_000, test_size=100_000),
        model=gpt2.Model(layers=6, width=256, heads=4),
        optimizer=adamw.Optimizer(learning_rate=3e-4, weight_decay=0.1, warmup_steps=1000, clip_norm=1.0),
        batch_size=512,
        batch_order="hashed",
        precision="bfloat16",
    ),
    axes={"task.rules": (100, 200, 250, 400, 500, 1000, 2000, 10_000, 100_000), "task.data_size": (1_000_000,)},
    horizon=40_000,
    evaluation_examples=2000,
)
