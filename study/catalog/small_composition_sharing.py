"""Does running the same layers twice unlock systematic generalization in a small transformer?

`composition_sharing` for two CPU cores: one or two layers, run once or twice.
Prediction: a shared stack generalizes out of distribution above chance (0.02), an unshared one does not.
Finding (2026-11-21, 8 runs, 11 minutes on two busy cores): not reproduced at this size and length. One layer run
twice composes as well as two layers (test accuracy 0.9 at step 1,780 and 1,660), where one layer run once does not
even fit; out of distribution two layers run twice end at 0.03 (0.027 and 0.033), the others at 0.01 to 0.02, by step
4,000. The reproduction that did see it needed 50,000 steps for 0.09.
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
