"""Does weight decay speed up generalization to new compositions in a small transformer?

`composition_decay` scaled down for two CPU cores.
Prediction: more decay gives earlier generalization, up to a decay at which nothing is fitted any more.
Finding (2026-11-21, 8 runs, 5 minutes on two busy cores): weakly as predicted. Test accuracy reaches 0.9 at step 3,160
with decay 0.3, 3,650 with 0.1, 4,000 with 0.03 (the horizon; one or two of two seeds); decay 1.0 fits later (1,920
instead of 1,330) and is not faster (3,410). Out of distribution all stay at chance.
"""

from study.catalog._wang2024 import small, small_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does weight decay speed up generalization to new compositions in a small transformer?",
    base=small(small_graph(10.0)),
    axes={"optimizer.weight_decay": (0.03, 0.1, 0.3, 1.0)},
    seeds=2,
    horizon=4000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
