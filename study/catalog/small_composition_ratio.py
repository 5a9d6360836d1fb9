"""Does the ratio of inferred to atomic facts set how fast a small transformer composes them?

`composition_ratio` for two CPU cores.
Prediction: larger ratios generalize earlier, out-of-distribution accuracy stays at chance (0.02), and the causal
strength of S[1, r1] grows between memorization and generalization while that of S[1, h] vanishes.
"""

from study.catalog._wang2024 import PROBES, small, small_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does the ratio of inferred to atomic facts set how fast a small transformer composes them?",
    base=small(small_graph(10.0)),
    axes={"task.ratio": (6.0, 8.0, 10.0, 12.0, 16.0)},
    seeds=3,
    horizon=6000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    probes=PROBES,
    probes_per_decade=8,
    definition="wang2024",
)
