"""Is there double descent in repeats, towards the size of Hernandez et al. 2022 (arXiv 2205.10487)?

The paper trains models of up to 800 million parameters on 100 billion tokens of text with 10% repeats. Text is not in
this project; here it is the Markov chain with 300 times the data, at four widths, with shares down to the paper's 3%.
Needs a GPU.
Prediction: a larger model has its peak at more repeats; at the worst number it acts like a model of half its size.
Finding: open.
"""

import dataclasses

from study.catalog import repeated_data
from trainables.models import transformer
from trainables.tasks import repeated

STUDY = dataclasses.replace(
    repeated_data.STUDY,
    base=dataclasses.replace(
        repeated_data.STUDY.base,
        task=repeated.Task(symbols=64, context=32, budget=10_240_000, test_size=16384),
        model=transformer.Model(layers=4, width=128, heads=4, norm="layer"),
        batch_size=1024,
        batch_order="hashed",
    ),
    axes={
        "model.width": (64, 128, 256, 512),
        "task.repeated_share": (0.03, 0.1, 0.5),
        "task.repeats": (1, 10, 100, 1_000, 10_000, 100_000),
    },
    seeds=5,
    horizon=10_000,
)
