"""Can a transformer that learns to compare facts compare facts that never occurred in a comparison?

Wang et al. 2024 (arXiv 2405.15071), figures 1 and 15; `small_comparison_ratio` is the version for two CPU cores.
Prediction: larger ratios generalize earlier, and out-of-distribution accuracy follows in-distribution accuracy
(0.99 at 350,000 steps for ratio 7.2), because both facts are looked up in parallel, from a single copy of them.
Finding: not yet run at this size.
"""

from study.catalog._wang2024 import PROBES, paper
from study.spec import StudySpec
from trainables.tasks import comparison

STUDY = StudySpec(
    question="Can a transformer that learns to compare facts compare facts that never occurred in a comparison?",
    base=paper(comparison.Task()),
    axes={"task.ratio": (3.6, 7.2, 9.0, 12.6)},
    seeds=5,
    horizon=350_000,
    evaluation_examples=3000,
    probes=PROBES,
    definition="wang2024",
)
