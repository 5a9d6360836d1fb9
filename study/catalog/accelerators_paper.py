"""Does anything grok sooner than a tuned AdamW at the size of Lee et al. 2024 (arXiv 2405.20233)?

Multiplication modulo 97, two layers of width 128, half of the table, batches of 512: the setting of Grokfast's README
and, except for the task, of Tveit et al. (2504.16041). Grokfast runs at its own alphas, 0.98 and 0.9. Needs a GPU.
Prediction: AdamW takes about 40,000 steps without decay (39,890 with Adam in that README) and 1,000 to 2,000 at the
best decay, and no method needs less than half of the latter.
Finding: open.
"""

import dataclasses

from study.catalog import accelerators
from study.catalog.accelerators import DECAY, HIDDEN_RATE, MEMORY, RATE, variant
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

RATES, DECAYS = (3e-4, 1e-3, 3e-3), (0.0, 0.1, 1.0, 3.0)

STUDY = dataclasses.replace(
    accelerators.STUDY,
    base=RunSpec(
        task=modular.Task(p=97, operation="mul", train_fraction=0.5),
        model=transformer.Model(layers=2, width=128, heads=4, norm="layer"),
        optimizer=adamw.Optimizer(learning_rate=1e-3, warmup_steps=10),
        batch_size=512,
        batch_order="hashed",
    ),
    axes={"optimizer": ("adamw",), RATE: RATES, DECAY: DECAYS},
    extra=[
        *variant({"optimizer": "adamw", "loss": "stablemax"}, {RATE: RATES}, DECAYS),
        *variant({"optimizer": "grokfast"}, {RATE: (3e-4, 1e-3), MEMORY: (0.9, 0.98)}, (0.005, 0.1, 1.0)),
        *variant({"optimizer": "orthograd"}, {RATE: (3e-4, 1e-3, 3e-3)}, (0.0, 0.01, 0.1, 1.0)),
        *variant({"optimizer": "muon"}, {HIDDEN_RATE: (0.01, 0.02, 0.05)}, (0.0, 0.1, 0.3, 1.0)),
    ],
    seeds=10,
    horizon=50_000,
    evaluation_share=None,
)
