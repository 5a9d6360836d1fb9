"""Does weight decay speed up generalization to new compositions in a small transformer?

`composition_decay` scaled down for two CPU cores.
Prediction: more decay gives earlier generalization, from the paper's 0.03 to its 0.3.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does weight decay speed up generalization to new compositions in a small transformer?",
    base=tiny(tiny_graph(9.0)),
    axes={"optimizer.weight_decay": (0.03, 0.1, 0.3)},
    seeds=16,
    horizon=4000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
