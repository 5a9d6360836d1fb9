"""Does the size of a small knowledge graph matter, or only the ratio of inferred to atomic facts?

`composition_size` scaled down for two CPU cores: the number of entities varies at a ratio of 10, so the data grows with
it.
Prediction (the paper's): no qualitative effect.
Finding (2026-11-29, 15 runs, 4 minutes on two busy cores): undecided. Test accuracy passes 0.9 at step 866, 866 and
1,155 with 12, 16 and 24 entities, which are 66, 49 and 44 epochs: from the least to the most data they change by a
factor of 0.67 [0.55, 0.82], and the bar is at 1/1.5. Steps to fit grow faster (316, 422, 562): the delay shrinks from
2.7 to 2.1 times.
What was tried before (2026-11-21): 30, 50 and 80 entities with 20 relations, width 128, rate 0.001, 4,000 steps and two
seeds. Test accuracy passed 0.9 at step 2,370, 3,160 and 4,000 (one of two seeds, the horizon), which are 50, 40 and 32
epochs. Steps to fit grew as well (870, 1,330, 2,740), and the delay shrank from 2.7 to 1.5 times.
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
