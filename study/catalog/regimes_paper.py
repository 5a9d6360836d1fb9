"""Over layers, ratio, weight decay and data size: where does a transformer memorize, and where does it generalize?

`regimes` at the size of Wang et al. 2024 (arXiv 2405.15071), for GPUs: 54 points around the paper's own, one seed.
Prediction (the paper's figures, each of them over one axis): test accuracy passes 0.9 by step 100,000 at ratio 12.6 for
all layers and decays, at 7.2 only with the larger decays, at 3.6 nowhere; the number of entities changes little.
Finding: not yet run at this size.
"""

from study.catalog._wang2024 import paper
from study.spec import StudySpec
from trainables.tasks import composition

STUDY = StudySpec(
    question="Over layers, ratio, weight decay and data size: where does a transformer memorize, where generalize?",
    base=paper(composition.Task()),
    axes={
        "task.ratio": (3.6, 7.2, 12.6),
        "optimizer.weight_decay": (0.01, 0.1, 1.0),
        "model.layers": (2, 4, 8),
        "task.entities": (1000, 2000),
    },
    seeds=1,
    horizon=100_000,
    evaluation_examples=3000,
    definition="wang2024",
)
