"""Does a grokked transformer answer questions that need a search through thousands of facts?

Wang et al. 2024 (arXiv 2405.15071), section 5 and table 1, at the paper's size, with 3% of the comparisons and with
smaller and larger shares; `small_complex_reasoning` is the version for two CPU cores.
Prediction: at 3% accuracy is 0.993 on the 150 hard questions (`ood`), where GPT-4-Turbo with retrieval reaches 0.333.
Finding: not yet run at this size.
"""

from study.catalog._wang2024 import paper
from study.spec import StudySpec
from trainables.tasks import complex_comparison

STUDY = StudySpec(
    question="Does a grokked transformer answer questions that need a search through thousands of facts?",
    base=paper(complex_comparison.Task()),
    axes={"task.share": (0.01, 0.03, 0.06)},
    seeds=5,
    horizon=500_000,
    evaluation_examples=3000,
    definition="wang2024",
)
