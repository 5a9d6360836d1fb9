"""Does running the same layers twice unlock systematic generalization in a small transformer?

`composition_sharing` scaled down for two CPU cores: two layers, run once or twice.
Prediction: a shared stack generalizes out of distribution above three times chance (0.042), one without sharing does
not.
Finding: not run to its end yet.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does running the same layers twice unlock systematic generalization in a small transformer?",
    base=tiny(tiny_graph(11.0, entities=24)),
    axes={"model.loops": (1, 2)},
    seeds=3,
    horizon=10_000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
