"""How long does a network take to find the bits that decide a parity, and how few of its units does it use then?

Barak et al. 2022 (arXiv 2207.08799) and Merrill et al. 2023 (2303.11873). Batches of 32 and rate 0.1 are those of
Merrill's published code. 30,000 examples are as good as fresh ones here: what is learned is the rule, and training
accuracy rises with test accuracy. The extra points have 1,000 examples of 40 bits, 3 of which count, and weight decay,
so that examples are memorized first; their twin has random labels. Compared with the papers there are 200 hidden units
and cross-entropy, in place of 1,000 units and a hinge loss.
Prediction: steps grow like n^(k-1). After grokking a small part of the units is live, with random labels most are.
What was tried: two seeds each (0 and 1, or 100 and 101) of n = 15, 20, 30 and 40, widths 100 and 200, rates 0.03 and
0.1. Pairs of n gave slopes of 0.9 to 1.1 for k = 2 and of 1.3 to 1.4 for k = 3 before the bars were written; the bars
are those of the law. With 1,000 examples decay 0.003 did not generalize within 9,000 steps, 0.01 and 0.02 did.
Finding (2026-11-30, 80 runs, 14 minutes beside other work): median steps grow like n^0.73 [0.65, 0.83] for k = 2, from
87 at n = 16 to 215 at 54, and like n^1.36 [1.29, 1.58] for k = 3, from 681 to 3,481. Both intervals cross their bar, so
that neither is decided; both powers are below k - 1. A third bit adds 0.63 [0.51, 0.83]. From 1,000 examples 7 of 8
runs generalize, 8.3 [6.4, 10.6] times as late as they fit, and end with 2.5% [1.3%, 4.1%] of their units live; the
eighth still memorizes at the end, with 59%. Random labels leave 62% live.
"""

from study.spec import StudySpec
from trainables.models import dense
from trainables.optimizers import sgd
from trainables.spec import RunSpec
from trainables.tasks import parities

FEW = {"task.n": 40, "task.k": 3, "task.data_size": 1000, "optimizer.weight_decay": 0.01}

STUDY = StudySpec(
    question="How many steps does it take to find the bits that decide a parity, and how few units does it take then?",
    base=RunSpec(
        task=parities.Task(data_size=30_000),
        model=dense.Model(width=200),
        optimizer=sgd.Optimizer(learning_rate=0.1, momentum=0.0),
        batch_size=32,
    ),
    axes={"task.n": (16, 24, 36, 54), "task.k": (2, 3)},
    extra=[FEW, FEW | {"task.labels": "random"}],
    seeds=8,
    horizon=12_000,
    evaluation_examples=1000,
    leave_when_generalized=True,
)
