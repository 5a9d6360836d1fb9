"""Does the size of the knowledge graph matter, or only the ratio of inferred to atomic facts?

Wang et al. 2024 (arXiv 2405.15071), figure 2b: |E| grows at a constant ratio of 9, so the data grows with it;
`small_composition_size` is the version for two CPU cores.
Prediction: there is no qualitative effect; counted in epochs, the gap between the splits stays the same. An unreviewed
reproduction at ratio 3.6 sees larger graphs generalize much later.
Finding: not yet run at this size. The paper shows its sizes only in a figure; these are ours.
"""

from study.catalog._wang2024 import paper
from study.spec import StudySpec
from trainables.tasks import composition

STUDY = StudySpec(
    question="Does the size of the knowledge graph matter, or only the ratio of inferred to atomic facts?",
    base=paper(composition.Task(ratio=9.0)),
    axes={"task.entities": (1000, 2000, 5000, 10_000)},
    seeds=5,
    horizon=350_000,
    evaluation_examples=3000,
    definition="wang2024",
)
