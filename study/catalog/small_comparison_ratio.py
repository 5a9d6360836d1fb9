"""Can a small transformer that learns to compare facts compare facts that never occurred in a comparison?

`comparison_ratio` scaled down for two CPU cores.
Prediction: comparisons of facts that were never compared are answered at 0.9 and above (chance is 0.44).
Finding (2026-11-29, 5 runs, 4 minutes on two busy cores): as predicted. Out-of-distribution accuracy is 0.97 [0.93, 1]
at step 8,000. At step 4,000 it was 0.91 [0.85, 0.96], still rising and falling by 0.1 between evaluations: undecided;
the horizon was doubled once.
What was tried before (2026-11-21): with 100 entities and 4 attributes it ended at 0.66 to 0.73 for ratios of 5 to 40.
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
