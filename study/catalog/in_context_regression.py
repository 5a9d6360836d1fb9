"""How many tasks make a network do ridge regression in context, instead of choosing among the tasks it has seen?

Raventos et al. 2023 (arXiv 2306.15063) and Panwar et al. 2023 (2306.04891) scaled down for two CPU cores: 3 dimensions
instead of 8, 10 points instead of 16, and two layers of width 32 instead of eight of 128. Tokens hold the whole
previous pair; without that, in trials, the network needs about three times the steps to learn as much.
Prediction: on new tasks a network trained on few tasks answers like the posterior mean over these (dMMSE), one trained
on many like ridge regression, with a threshold between. Above the threshold the network does better on new tasks than
that posterior mean; near it a network first comes closer to ridge and later forgets it.
Finding (2026-12-01, 72 runs, 24 minutes beside other work): there is a threshold, at 14 tasks: on the line from dMMSE
(0) to ridge (1) networks of 4, 10, 12, 14, 32 and 128 tasks end at 0.11, 0.41, 0.46, 0.50, 0.74 and 0.80. Above the
threshold the excess of the loss on new tasks over ridge's is less than half of dMMSE's (ln of the quotient 0.84 [0.79,
0.91]). With 128 tasks that loss is 10.0% [9.1, 11.0] above ridge's, where the bar is 10%. Of twelve runs each with 4,
10, 12 and 14 tasks 1, 4, 6 and 7 turn back over the middle from ridge to dMMSE; which number of tasks has most of them
twelve seeds do not decide (0.5 [0.02, 0.91] on other seeds than chosen).
What was tried before: six seeds (2026-11-30) left the same two claims open (10.2% [9.5, 11.4] and 0 [0, 0.63]). A
constant rate, three seeds and 2,200 steps (2026-11-21) gave 16% above ridge's loss, and all nine networks with up to 16
tasks turned back towards dMMSE, one of them over the middle.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import linear_regression

STUDY = StudySpec(
    question="How many tasks make a network do ridge regression in context?",
    base=RunSpec(
        task=linear_regression.Task(dimensions=3, points=10, pairs=True, test_size=256),
        model=transformer.Model(layers=2, width=32, heads=2, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, warmup_steps=100, schedule="linear", schedule_steps=12_000),
        loss="mse",
        batch_size=64,
    ),
    axes={"task.num_tasks": (4, 10, 12, 14, 32, 128)},
    seeds=12,
    horizon=12_000,
    evaluations_per_decade=12,
    evaluation_examples=256,
)
