"""Do memorization capacity and critical data size cross as the model grows? Is there double descent below the crossing?

Huang et al. 2024 (arXiv 2402.15175) study one-layer transformers; here a quadratic network modulo 23 shows the same
four dynamics on two CPU cores. The extra points train on random labels for every pair; their accuracy times the number
of pairs is the capacity.
Prediction: capacity rises with width and the critical data size falls. Small widths are in progression (test accuracy
rises while train accuracy is below 1); large ones memorize below the critical size and grok above it. Test accuracy
against width dips at 212 examples and does not at 317 or more.
Finding (2026-11-30, 360 runs, 5 minutes beside other work): capacity rises from 97 pairs at width 4 to all 529 at width
64. Of the runs that fit before they generalize, half do from 238 examples on at widths 32 to 64 and from 284 at width
96; narrower ones do not generalize unless they progress. So the critical size does not fall, and 65% of the runs are in
the zone that the two curves give them. At 212 examples accuracy rises to 0.38 at width 24 and falls again to 0.04 at
64. The norm rises while a run groks, too.
What was tried besides: a one-layer transformer of widths 4 to 64 with cross-entropy, rate 0.01 and decay 1 on 212 to
423 examples (240 runs of 3,000 steps, 15 minutes). Its norm falls while it groks (-0.12 [-0.23, -0.01]), as in the
paper. But nearly all of its runs progress from 264 examples on, it knows all 529 pairs by heart from width 12 on, and
19% of the runs are in their zone. The quadratic network with cross-entropy, decay 1 and 1,500 steps (360 runs, 95 s,
all five claims judged): its critical size falls with width, rank correlation -0.95 [-0.95, -0.72] where the bar is
-0.8, but 50% of its runs are in their zone and ln of its norm grows by 0.46 [0.45, 0.46] while it groks. With three
seeds of the present settings (216 runs) the critical size lay between 238 and 291 from width 24 on and did not fall
steadily.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96)

STUDY = StudySpec(
    question="Do memorization capacity and critical data size cross as the model grows?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=None, data_size=264),
        model=mlp.Model(width=32),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=0.3),
        loss="mse",
    ),
    axes={"model.width": WIDTHS, "task.data_size": (159, 212, 264, 317, 370, 423, 476)},
    extra=[{"model.width": width, "task.data_size": 23**2, "task.labels": "random"} for width in WIDTHS],
    seeds=5,
    horizon=2000,
    definition="huang2024",
)
