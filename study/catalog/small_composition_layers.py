"""Do deeper small transformers learn to compose facts in fewer steps?

`composition_layers` scaled down for two CPU cores.
Prediction: one layer cannot look up twice and memorizes; two are enough; three generalize in fewer steps.
Finding (2026-11-21, 6 runs, 3 minutes on two busy cores): as predicted. One layer fits late (accuracy 0.9 at step
3,400) and stays at test accuracy 0.07; two layers pass test accuracy 0.9 at step 3,160, three at 2,740.
"""

from study.catalog._wang2024 import small, small_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Do deeper small transformers learn to compose facts in fewer steps?",
    base=small(small_graph(10.0)),
    axes={"model.layers": (1, 2, 3)},
    seeds=2,
    horizon=4000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
