"""Does a transformer that learns to compare facts compare facts that it never compared?

Wang et al. 2024 (arXiv 2405.15071), figures 1 and 15; `small_comparison_ratio` is for two CPU cores.
Prediction: larger ratios generalize earlier, and out-of-distribution accuracy follows in-distribution accuracy
(0.99 at 350,000 steps for 7.2): the facts are looked up in parallel, from one copy of them.
Finding: not yet run at this size.
"""

from study.catalog._wang2024 import PROBES, paper
from study.spec import StudySpec
from trainables.tasks import comparison

STUDY = StudySpec(
    question="Does a transformer that learns to compare facts compare facts that it never compared?",
    base=paper(comparison.Task()),
    axes={"task.ratio": (3.6, 7.2, 9.0, 12.6)},
    seeds=3,
    horizon=350_000,
    evaluation_examples=3000,
    probes=PROBES,
    definition="wang2024",
)
