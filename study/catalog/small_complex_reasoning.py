"""Does a small transformer answer questions that need a search through many facts?

`complex_reasoning` scaled down for two CPU cores.
Prediction: the hard questions (`ood`) are answered above chance (0.33), long after the training split is fitted.
Finding (2026-11-21, 6 runs, 7 minutes on two busy cores): above chance, but early. Accuracy on hard questions is 0.6 to
0.7 when the training split is fitted (step 650 to 880). It goes on rising only at a share of 0.04, from 0.72 at step
3,160 to 0.85 at 8,000 (one of two runs passes 0.9); at 0.02 and 0.03 it stays near 0.7. With a share of 0.1 or more no
question is hard, because the comparisons alone settle every pair.
"""

from study.catalog._wang2024 import small, small_search
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does a small transformer answer questions that need a search through many facts?",
    base=small(small_search(0.03), weight_decay=1.0, width=64),
    axes={"task.share": (0.02, 0.03, 0.04)},
    seeds=2,
    horizon=8000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
