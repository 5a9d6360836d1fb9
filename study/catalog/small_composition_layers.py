"""Do deeper small transformers learn to compose facts in fewer steps?

`composition_layers` scaled down for two CPU cores.
Prediction: one layer cannot look up twice and memorizes; two are enough; three generalize in fewer steps.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Do deeper small transformers learn to compose facts in fewer steps?",
    base=tiny(tiny_graph(10.0)),
    axes={"model.layers": (1, 2, 3)},
    seeds=5,
    horizon=4000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
