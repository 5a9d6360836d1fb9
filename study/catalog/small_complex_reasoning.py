"""Does a small transformer answer questions that need a search through many facts?

`complex_reasoning` scaled down for two CPU cores.
Prediction: the hard questions (`ood`) are answered at 0.9 and above (chance is 0.33), long after the training split is
fitted.
Finding (2026-12-01, 6 runs, 14 minutes): six seeds end at 0.65 to 0.97 on hard questions, 0.82 [0.70, 0.95] on
average, three of them at 0.87 or more; undecided. Hard questions pass 0.5 at steps 365 to 562, training accuracy 0.95
at steps 3,162 to 5,623, and hard questions 0.9 at steps 4,870, 8,660 and 17,783, in the other three runs never. Answers
in distribution end at 0.89 to 1.00. Half way, at step 8,660, the mean is 0.81.
What was tried before (2026-11-29): with batches in another order four seeds ended at 0.89 [0.71, 1].
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
