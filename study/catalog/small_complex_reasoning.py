"""Does a small transformer answer questions that need a search through many facts?

`complex_reasoning` scaled down for two CPU cores.
Prediction: the hard questions (`ood`) are answered at 0.9 and above (chance is 0.33), long after the training split is
fitted.
Finding: not run to its end at this length yet. Accuracy on hard questions was 0.85 at step 8,000 (2026-11-21).
"""

from study.catalog._wang2024 import small, small_search
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does a small transformer answer questions that need a search through many facts?",
    base=small(small_search(0.04), weight_decay=1.0, width=64),
    axes={"task.share": (0.04,)},
    seeds=4,
    horizon=20_000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
