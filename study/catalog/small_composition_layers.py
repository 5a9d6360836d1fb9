"""Do deeper small transformers learn to compose facts in fewer steps?

`composition_layers` scaled down for two CPU cores.
Prediction: one layer cannot look up twice and memorizes; two are enough; three generalize in fewer steps.
Finding (2026-11-29, 15 runs, 8 minutes on two busy cores): the first half is as predicted. One layer ends at test
accuracy 0.15 to 0.38. Two layers pass 0.9 at step 866 (649 to 1,334), three at 1,000 (750 to 1,155), which is no
sooner: the rank correlation of layers and steps, -0.70 [-0.94, -0.47], is that of one layer with more.
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
