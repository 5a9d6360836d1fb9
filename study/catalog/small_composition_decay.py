"""Does weight decay speed up generalization to new compositions in a small transformer?

`composition_decay` scaled down for two CPU cores.
Prediction: more decay gives earlier generalization, from the paper's 0.03 to its 0.3.
Finding (2026-11-29, 48 runs, 9 minutes on two busy cores): as predicted. Test accuracy passes 0.9 at step 1,437 with
decay 0.03, 1,334 with 0.1 and 1,155 with 0.3 (medians of 16 seeds), the fit at 365 with all. With 8 seeds it was
undecided: -0.38 [-0.72, 0.06]; seeds were doubled once.
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
