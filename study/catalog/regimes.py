"""Over layers, ratio, weight decay and data size: where does a transformer memorize, and where does it generalize?

Composition of two facts (Wang et al. 2024, arXiv 2405.15071, section 3), small enough for two CPU cores;
`regimes_paper` has the paper's size. Data size varies with the number of entities, at a fixed ratio.
Prediction: one layer memorizes; more layers generalize above a ratio that falls with decay, until decay keeps a network
from fitting at all.
Finding (2026-11-29, 216 runs, 14 minutes): as predicted. 135 runs memorize, 45 generalize in distribution, all of them
with two or three layers, 36 do not fit (all at decay 3), none is systematic. With 24 entities, the critical ratio is
above 11 with one layer; with two it is 9.4 [8.5, 10.3] at decay 0.03 and 9.0 [7.9, 9.7] at 0.3, with three 9.4
[8.3, 10.1] and 8.9 [7.6, 9.7]; with 12 entities it is 0.8 to 2 lower. The ratio explains 23% [17, 29] of the variance
between runs, layers 13% [8, 16], their pair 11% [7, 14], decay 9% [6, 13], entities 1%; 23% lies between seeds. On
another machine 137, 42 and 37: runs at the boundary flip with the processor.
What was tried: 2,000 steps, at which 53 generalize and the critical ratios are about 1 lower, take over 25 minutes on
a slow machine; width 32 memorizes everything within 2,000 steps at a learning rate of 0.001, and reaches 0.83 at
0.004; 10 relations (ratios up to 8) generalize at ratio 8 alone; a third size, 16 entities, took as long again.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Over layers, ratio, weight decay and data size: where does a transformer memorize, where generalize?",
    base=tiny(tiny_graph(9.0)),
    axes={
        "task.ratio": (5.0, 7.0, 9.0, 11.0),
        "optimizer.weight_decay": (0.03, 0.3, 3.0),
        "model.layers": (1, 2, 3),
        "task.entities": (12, 24),
    },
    seeds=3,
    horizon=1600,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
