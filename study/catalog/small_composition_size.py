"""Does the size of a small knowledge graph matter, or only the ratio of inferred to atomic facts?

`composition_size` scaled down for two CPU cores: the number of entities varies at a ratio of 10, so the data grows with
it.
Prediction (the paper's): no qualitative effect.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does the size of a small knowledge graph matter, or only the ratio of inferred to atomic facts?",
    base=tiny(tiny_graph(10.0)),
    axes={"task.entities": (12, 16, 24)},
    seeds=5,
    horizon=5000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
