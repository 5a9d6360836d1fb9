"""Does the ratio of inferred to atomic facts set how fast a transformer learns to compose them?

Wang et al. 2024 (arXiv 2405.15071), figures 1 and 2a, at the paper's size; `small_composition_ratio` is the version for
two CPU cores.
Prediction: all ratios fit their training split within 25,000 steps. In-distribution test accuracy follows late for
small ratios (0.95 at about 200,000 steps for 7.2, at 35,000 for 12.6) and at once for 18; out-of-distribution accuracy
stays at chance. The causal strength of S[5, r1] grows between the two.
Finding: not yet run at this size.
"""

from study.catalog._wang2024 import PROBES, paper
from study.spec import StudySpec
from trainables.tasks import composition

STUDY = StudySpec(
    question="Does the ratio of inferred to atomic facts set how fast a transformer learns to compose them?",
    base=paper(composition.Task()),
    axes={"task.ratio": (3.6, 5.4, 7.2, 9.0, 12.6, 18.0)},
    seeds=5,
    horizon=350_000,
    evaluation_examples=3000,
    probes=PROBES,
    definition="wang2024",
)
