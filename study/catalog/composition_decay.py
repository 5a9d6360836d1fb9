"""Does weight decay speed up generalization to new compositions?

Wang et al. 2024 (arXiv 2405.15071), figure 13, at the paper's size; `small_composition_decay` is the version for two
CPU cores.
Prediction: more decay gives earlier generalization. An independent reproduction saw the reverse between 0.01 and 0.03.
Finding: not yet run at this size. The paper shows its values only in a figure; these are ours.
"""

from study.catalog._wang2024 import paper
from study.spec import StudySpec
from trainables.tasks import composition

STUDY = StudySpec(
    question="Does weight decay speed up generalization to new compositions?",
    base=paper(composition.Task(ratio=9.0)),
    axes={"optimizer.weight_decay": (0.01, 0.03, 0.1, 0.3)},
    seeds=5,
    horizon=350_000,
    evaluation_examples=3000,
    definition="wang2024",
)
