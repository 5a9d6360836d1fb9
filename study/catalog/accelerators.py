"""Does anything grok sooner than AdamW once AdamW's own learning rate and weight decay are tuned?

Grokfast (Lee et al. 2024, arXiv 2405.20233), StableMax and orthogonal gradients (Prieto et al. 2025, 2501.04697) and
Muon (Tveit et al. 2025, 2504.16041) have one to four points of their own, and so has AdamW: those of earlier studies at
which most seeds grok. The task is addition modulo 19, with a one-layer transformer and full batches. A method's time is
the median over seeds of the step at which it groks, at its best point.
Prediction: without weight decay AdamW does not grok by the horizon, but orthogonal gradients do; against the tuned
AdamW no method comes near its published gain.
Finding (2026-11-30, 448 runs; the half with fresh seeds took 155 s): the medians of each method's best point are 127
steps for AdamW (rate 0.03, decay 1), 54 for Muon, 136 for orthogonal gradients, 158 for StableMax and 215 for Grokfast.
Judged on other seeds than chosen, Muon is 2.3 [1.3, 3.0] times as fast as AdamW, StableMax 0.72 [0.54, 0.97] times and
Grokfast 0.57 [0.26, 0.79] times; orthogonal gradients, which are fast in two thirds of the seeds and grok in no other,
0.25 [0.11, 1.2] times. Muon groks in all 32 seeds at all four points. Without decay nothing groks in 1,500 steps, but
for one of 32 runs each of StableMax and of orthogonal gradients at rate 0.06.
What was tried before: twelve points a method and ten seeds (600 runs), then four to six points and 16 seeds (416 runs,
7 minutes): rates 0.01 to 0.1, decays 0 to 3. AdamW groks in 15 of 16 seeds at rate 0.03 and decay 1 (median 133 steps),
in 6 at rate 0.06 and in none at decay 3; Grokfast and StableMax likewise. A point that groks fast in half of its seeds
is now and then the best of one half and the worst of the other, which left every ratio undecided: Muon's was 2.4 [1.2,
15]. Such points are left out, and as many fresh seeds are added. Earlier still: no normalisation, one decay for all of
Muon's weights, a memory of 50 steps for Grokfast, 600 steps; Muon seemed to take four times as long as AdamW.
"""

from itertools import product

from study.spec import Point, StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

RATE, HIDDEN_RATE = "optimizer.learning_rate", "optimizer.hidden_learning_rate"
DECAY, HIDDEN_DECAY = "optimizer.weight_decay", "optimizer.hidden_weight_decay"
MEMORY, AMPLIFICATION = "optimizer.slow_memory", "optimizer.amplification"


def variant(method: Point, rates: Point, decays: tuple[float, ...]) -> list[Point]:
    """A method's own points: the product of its rates (path -> values) and its weight decays."""
    paths = [*method, *rates, DECAY]
    return [dict(zip(paths, (*method.values(), *values), strict=True)) for values in product(*rates.values(), decays)]


STUDY = StudySpec(
    question="Does anything grok sooner than AdamW once AdamW's own learning rate and weight decay are tuned?",
    base=RunSpec(
        task=modular.Task(p=19, train_fraction=0.75),
        model=transformer.Model(layers=1, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=0.03, warmup_steps=10),
    ),
    axes={"optimizer": ("adamw",), RATE: (0.03,), DECAY: (0.0, 1.0)},
    extra=[
        *variant({"optimizer": "adamw", "loss": "stablemax"}, {RATE: (0.03,)}, (0.0, 1.0)),
        *variant({"optimizer": "adamw", "loss": "stablemax"}, {RATE: (0.06,)}, (0.0,)),
        *variant({"optimizer": "grokfast", AMPLIFICATION: 1.0}, {RATE: (0.03,), MEMORY: (0.8,)}, (1.0,)),
        *variant({"optimizer": "orthograd"}, {RATE: (0.03, 0.06)}, (0.0, 0.3)),
        *variant(
            {"optimizer": "muon"},
            {RATE: (0.03,), HIDDEN_RATE: (0.1, 0.3), HIDDEN_DECAY: (0.3, 0.6)},
            (1.0,),
        ),
    ],
    seeds=32,
    horizon=1500,
    evaluations_per_decade=48,
)
