"""Can a small transformer that learns to compare facts compare facts that never occurred in a comparison?

`comparison_ratio` scaled down for two CPU cores.
Prediction: comparisons of facts that were never compared are answered well above chance (0.44), long after the
training split is fitted, and larger ratios get there earlier.
Finding (2026-11-21, 12 runs, 8 minutes on two busy cores): the first half is as predicted. All runs fit (accuracy 0.9)
by step 500. Out-of-distribution accuracy first falls below chance (0.31 at step 560 for ratio 40), then rises to 0.7 to
0.8 between steps 1,000 and 5,000, and ends at 0.66 to 0.73, not at 1. Larger ratios do better in distribution (0.83 at
5, 0.94 at 10, 0.97 at 20 and 40) but rise later out of distribution, because fewer of their examples are atomic facts.
What was tried: 60 entities with 10 attributes are only memorized (0.42 after 3,000 steps); decay 0.1 to 0.3 keeps
out-of-distribution accuracy at chance for as long, decay 1.0 does not.
"""

from study.catalog._wang2024 import PROBES, small, small_population
from study.spec import StudySpec

STUDY = StudySpec(
    question="Can a small transformer that learns to compare facts compare facts that never occurred in a comparison?",
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
