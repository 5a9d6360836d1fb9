"""Does the size of a small knowledge graph matter, or only the ratio of inferred to atomic facts?

`composition_size` for two CPU cores: entities vary at a ratio of 10, so data grows with them.
Prediction (the paper's): no qualitative effect.
"""

from study.catalog._wang2024 import small, small_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does the size of a small knowledge graph matter, or only the ratio of inferred to atomic facts?",
    base=small(small_graph(10.0)),
    axes={"task.entities": (30, 50, 80)},
    seeds=2,
    horizon=4000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
