"""Can a small transformer that learns to compare facts compare facts that never occurred in a comparison?

`comparison_ratio` scaled down for two CPU cores.
Prediction: comparisons of facts that were never compared are answered at 0.9 and above (chance is 0.44).
"""

from study.catalog._wang2024 import PROBES, small, small_population
from study.spec import StudySpec

STUDY = StudySpec(
    question="Can a small transformer that learns to compare facts compare facts that never occurred in a comparison?",
    base=small(small_population(20.0), weight_decay=1.0, width=64),
    axes={"task.ratio": (20.0,)},
    seeds=5,
    horizon=8000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    probes=PROBES,
    probes_per_decade=8,
    definition="wang2024",
)
