"""Does running the same layers twice unlock systematic generalization in a small transformer?

`composition_sharing` scaled down for two CPU cores: one or two layers, run once or twice.
Prediction: a shared stack generalizes out of distribution above chance (0.02), one without sharing does not.
Finding (2026-11-21, 8 runs, 11 minutes on two busy cores): not reproduced at this size and length. One layer run
twice composes as well as two layers (test accuracy 0.9 at step 1,780 and 1,660), while one layer run once does not even
fit. Out-of-distribution accuracy at step 4,000 is 0.03 for two layers run twice (0.027 and 0.033) and 0.01 to 0.02 for
the others. The reproduction that did see the effect needed 50,000 steps for 0.09.
"""

from study.catalog._wang2024 import small, small_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does running the same layers twice unlock systematic generalization in a small transformer?",
    base=small(small_graph(14.0)),
    axes={"model.layers": (1, 2), "model.loops": (1, 2)},
    seeds=2,
    horizon=4000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
