"""Does a small transformer answer questions that need a search through many facts?

`complex_reasoning` scaled down for two CPU cores.
Prediction: the hard questions (`ood`) are answered at 0.9 and above (chance is 0.33), long after the training split is
fitted.
Finding (2026-11-29): three of four seeds end at 0.91 to 0.98, one at 0.75: 0.89 [0.71, 1], undecided. Hard
questions pass 0.5 before step 500, training accuracy 0.95 at steps 1,334 to 4,217, and hard questions 0.9 at steps
4,870, 8,660 and 20,000. At 8,000 steps the mean was 0.85.
"""

from study.catalog._wang2024 import small, small_search
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does a small transformer answer questions that need a search through many facts?",
    base=small(small_search(0.04), weight_decay=1.0, width=64),
    axes={"task.share": (0.04,)},
    seeds=6,
    horizon=20_000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
