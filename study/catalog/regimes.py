"""Over layers, ratio, weight decay and data size: where does a transformer memorize, and where does it generalize?

Composition of two facts (Wang et al. 2024, arXiv 2405.15071, section 3), small enough for two CPU cores;
`regimes_paper` has the paper's size. Data size varies with the number of entities, at a fixed ratio.
Prediction: one layer memorizes; more layers generalize above a ratio that falls with decay, until decay keeps a network
from fitting at all.
Finding (2026-11-29, 216 runs): as predicted. 137 runs memorize, 42 generalize in distribution, all of them with two or
three layers, 37 do not fit (all at decay 3), none is systematic. With 24 entities, the critical ratio is above 11 with
one layer; with two it is 10.3 [9.0, above 11] at decay 0.03 and 9.4 [8.6, 10.4] at 0.3, with three 9.4 [8.3, 10.2] and
9.3 [8.2, 10.5]. The ratio explains 21% [15, 27] of the variance between runs, layers 12% [7, 15], their pair 10%
[6, 14], decay 10% [5, 13], entities 2%; 23% lies between seeds.
What was tried: 2,000 steps, at which 53 generalize and the critical ratios are 0.7 to 1.2 lower, take over 25 minutes
on a slow machine; width 32 memorizes everything within 2,000 steps at a learning rate of 0.001, and reaches 0.83 at
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
