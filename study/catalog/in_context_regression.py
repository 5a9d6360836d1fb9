"""How many tasks make a network do ridge regression in context, instead of choosing among the tasks it has seen?

Raventos et al. 2023 (arXiv 2306.15063) and Panwar et al. 2023 (2306.04891) scaled down for two CPU cores: 3 dimensions
instead of 8, 10 points instead of 16, and two layers of width 32 instead of eight of 128. Tokens hold the whole
previous pair; without that, in trials, the network needs about three times the steps to learn as much.
Prediction: on new tasks a network trained on few tasks answers like the posterior mean over these (dMMSE), one trained
on many like ridge regression, with a threshold between. Above the threshold the network does better on new tasks than
that posterior mean; near it a network first comes closer to ridge and later forgets it.
Finding (2026-11-21, 15 runs, 17 minutes on two very busy cores): there is a threshold, at 12 tasks [10, 14]. On the
line from dMMSE (0) to ridge (1) networks of 4, 8, 16, 32 and 128 tasks end at 0.15, 0.37, 0.61, 0.68 and 0.79. With 16
tasks the excess of the loss on new tasks over ridge's is 0.44 of dMMSE's excess. Even with 128 tasks it stays 16% above
ridge's. All nine networks with up to 16 tasks turn back from ridge to dMMSE, between steps 150 and 2200 (those with 16
from about 0.68 to 0.61), but only one of them crosses the middle.
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
