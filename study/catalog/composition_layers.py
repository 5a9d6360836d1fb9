"""Do deeper transformers learn to compose facts in fewer steps?

Wang et al. 2024 (arXiv 2405.15071), figure 7, at the paper's width; `small_composition_layers` is the version for two
CPU cores.
Prediction: depth makes no qualitative difference; larger models converge in fewer steps.
Finding: not yet run at this size. The paper shows its sizes only in a figure; these are ours.
"""

from study.catalog._wang2024 import paper
from study.spec import StudySpec
from trainables.tasks import composition

STUDY = StudySpec(
    question="Do deeper transformers learn to compose facts in fewer steps?",
    base=paper(composition.Task()),
    axes={"model.layers": (2, 4, 8, 12), "task.ratio": (5.4, 9.0, 18.0)},
    seeds=5,
    horizon=350_000,
    evaluation_examples=3000,
    definition="wang2024",
)
