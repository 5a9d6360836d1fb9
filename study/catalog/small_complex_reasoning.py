"""Does a small transformer answer questions that need a search through many facts?

`complex_reasoning` for two CPU cores.
Prediction: the hard questions (`ood`) are answered above chance (0.33), long after the training split is fitted.
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
