"""How much data does a transformer need to compose two random tables, and is it the data that covers the answers?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) scaled down for two CPU cores: two hops over n = 12 to 20
tokens, and a transformer of two layers. Data sizes are 3.4 to 6.5 n^2, and 400 for 12 and 16 tokens.
Prediction: the data needed grows like n^c with c between 2 and 2.5 (the paper: 2.26). Test examples with a higher
k-cutoff are answered first, and uncovered ones are answered no better than examples with unseen parts.
Finding (2026-11-21, 42 runs, 10 minutes of one core's time): as predicted. Test accuracy reaches 0.8 with 520 examples
for 12 tokens, 990 for 16 and 1,690 for 20: exponent 2.31 [2.17, 2.48]. With 16 tokens and 870 examples, accuracy is
0.19, 0.48, 0.67 and 0.85 on test examples covered at k = 1, 2, 3 and 5, and 0.99 on training examples; it is 0.11 to
0.19 on uncovered ones and 0.07 to 0.10 on those with unseen parts. The gap by bridge (iicg) after the first layer at x2
grows with data, from 0.07 to 0.51 at 16 tokens.
What was tried: one layer, width 32, and no normalisation do not learn to compose within 1,500 steps; decay 0.1 is slow;
28 tokens need more than 1,500 steps (0.42 there, still rising); with rate 0.006 and no clipping accuracy sometimes
falls back.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import hops

TOKENS = (12, 14, 16, 18, 20)

STUDY = StudySpec(
    question="How much data does a transformer need to compose two random tables?",
    base=RunSpec(
        task=hops.Task(structure="two_hop", n=16, data_size=400, test_size=1000),
        model=transformer.Model(layers=2, width=64, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=5e-3, weight_decay=1.0, warmup_steps=50, clip_norm=1.0),
        batch_size=256,
    ),
    axes={"task.n": (12, 16), "task.data_size": (400,)},
    extra=[
        *({"task.n": n, "task.data_size": round(m * n**2)} for n in TOKENS for m in (3.4, 4.4, 5.2)),
        *({"task.n": n, "task.data_size": round(6.5 * n**2)} for n in TOKENS[2:]),  # too many for 12 and 14 tokens
    ],
    seeds=10,
    horizon=1500,
    evaluations_per_decade=8,
    evaluation_examples=1000,
    probes=("iicg",),
)
