"""Does a small transformer that learns to compare facts compare facts that it never compared?

`comparison_ratio` for two CPU cores.
Prediction: comparisons of facts that were never compared are answered well above chance (0.44), long after the training
split is fitted, and larger ratios get there earlier.
"""

from study.catalog._wang2024 import PROBES, small, small_population
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does a small transformer that learns to compare facts compare facts that it never compared?",
    base=small(small_population(20.0), weight_decay=1.0, width=64),
    axes={"task.ratio": (5.0, 10.0, 20.0, 40.0)},
    seeds=3,
    horizon=8000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    probes=PROBES,
    probes_per_decade=8,
    definition="wang2024",
)
