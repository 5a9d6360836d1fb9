"""Does running the same layers several times unlock systematic generalization in composition?

Wang et al. 2024 (arXiv 2405.15071), appendix E.2: 4 layers run twice, weight decay 0.3 (according to the name of their
checkpoint); `small_composition_sharing` is the version for two CPU cores.
Prediction: without sharing, out-of-distribution accuracy stays at chance even at 2 million steps; with sharing it rises
slowly (in a reproduction to 0.5 at about 480,000 steps, and to 0.7 at 1 million or more).
Finding: not yet run at this size.
"""

from study.catalog._wang2024 import paper
from study.spec import StudySpec
from trainables.tasks import composition

STUDY = StudySpec(
    question="Does running the same layers several times unlock systematic generalization in composition?",
    base=paper(composition.Task(ratio=12.6), weight_decay=0.3, layers=4),
    axes={"model.loops": (1, 2, 4)},
    seeds=5,
    horizon=1_500_000,
    evaluation_examples=3000,
    definition="wang2024",
)
