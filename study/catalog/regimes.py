"""Over layers, ratio, weight decay and data size: where does a transformer memorize, and where does it generalize?

Composition of two facts (Wang et al. 2024, arXiv 2405.15071, section 3), small enough for two CPU cores;
`regimes_paper` has the paper's size. Data size varies with the number of entities, at a fixed ratio.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Over layers, ratio, weight decay and data size: where does a transformer memorize, where generalize?",
    base=tiny(tiny_graph(9.0)),
    axes={
        "task.ratio": (5.0, 7.0, 9.0, 11.0),
        "optimizer.weight_decay": (0.03, 0.3, 3.0),
        "model.layers": (1, 2, 3),
        "task.entities": (12, 24),
    },
    seeds=3,
    horizon=2000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
