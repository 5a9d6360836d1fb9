"""How much data does a transformer need to compose two random tables, and is it the data that covers the answers?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) for two CPU cores: two hops over 12 to 20 tokens, a
transformer of two layers. Data sizes are 3.4 to 6.5 n^2, and 400 for all.
Prediction: the data needed grows like n^c with c between 2 and 2.5 (the paper: 2.26); of the test examples those with a
higher k-cutoff are answered first, and those without cover are answered no better than examples with unseen parts.
Finding: open.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import hops

TOKENS = (12, 16, 20)

STUDY = StudySpec(
    question="How much data does a transformer need to compose two random tables?",
    base=RunSpec(
        task=hops.Task(structure="two_hop", n=16, data_size=400, test_size=1000),
        model=transformer.Model(layers=2, width=64, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=5e-3, weight_decay=1.0, warmup_steps=50, clip_norm=1.0),
        batch_size=256,
    ),
    axes={"task.n": TOKENS, "task.data_size": (400,)},
    extra=[
        *({"task.n": n, "task.data_size": round(m * n**2)} for n in TOKENS for m in (3.4, 4.4, 5.2)),
        *({"task.n": n, "task.data_size": round(6.5 * n**2)} for n in TOKENS[1:]),  # 12 tokens do not have so many
    ],
    seeds=3,
    horizon=1500,
    evaluations_per_decade=8,
    evaluation_examples=1000,
    probes=("iicg",),
)
