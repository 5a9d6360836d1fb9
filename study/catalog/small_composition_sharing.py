"""Does running the same layers twice unlock systematic generalization in a small transformer?

`composition_sharing` for two CPU cores: one or two layers, run once or twice.
Prediction: a shared stack generalizes out of distribution above chance (0.02), an unshared one does not.
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
