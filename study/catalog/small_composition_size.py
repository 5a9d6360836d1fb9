"""Does the size of a small knowledge graph matter, or only the ratio of inferred to atomic facts?

`composition_size` scaled down for two CPU cores: the number of entities varies at a ratio of 10, so the data grows with
it.
Prediction (the paper's): no qualitative effect.
Finding (2026-11-21, 6 runs, 6 minutes on two busy cores): as predicted, if steps are counted in epochs. Test accuracy
reaches 0.9 at step 2,370 with 30 entities, 3,160 with 50, and 4,000 with 80 (one of two seeds, the horizon): 50, 40 and
32 epochs. Steps to fit grow as well (870, 1,330, 2,740), so the delay shrinks from 2.7 to 1.5 times.
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
