"""Can a transformer use a verb that it has only seen alone, if it has seen more verbs and more distinct commands?

The commands of SCAN (Lake & Baroni 2018) with more verbs, after Zhou et al. 2023 (arXiv 2311.04420), scaled down for
two CPU cores: answers have at most 6 actions, and the model has two layers of width 64. All runs take the same number
of steps, so 500, 2000 and 8000 distinct commands are repeated 96, 24 and 6 times. A quarter of the verbs is held out
(`ood`).
Prediction: with 4 verbs, as in SCAN, commands with the held-out verb fail although new commands of the other verbs
succeed. Accuracy on held-out verbs rises with the number of verbs and of distinct commands, and the gap to `train`
falls.
Finding (2026-11-30, 40 runs, 6 minutes 10 on two cores): the directions are as predicted, but the effects are far from
complete. Accuracy on held-out verbs is 0.01 with 4 verbs and 0.01 to 0.03 with 16; with 64 verbs it is 0.10, 0.19 and
0.23 for 500, 2000 and 8000 commands, so more verbs add 0.16 [0.12, 0.19] and less repetition 0.05 [0.02, 0.08], where
the bars are 0.3. With 4 verbs new commands of the other verbs are 0.97 [0.94, 0.99] above those of the held-out one. On
new commands of the other verbs accuracy is 0.86 and 0.98 with 4 verbs, 0.78, 0.92 and 0.93 with 16, and 0.78, 0.93 and
0.94 with 64, so repetition decides there, too.
What was tried: 1,500 steps with three seeds (24 runs) gave 0.14, 0.26 and 0.29 with 64 verbs, so twice the steps do not
help. Width 32 shows the same directions with a third of the accuracy on held-out verbs (24 runs: 0.01, 0.09 and 0.08
with 64 verbs), which is why the width is 64 here; at width 32, 256 verbs do no better than 64 (0.10 and 0.13).
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import scan

STUDY = StudySpec(
    question="Can a transformer use a verb seen only alone, if it has seen more verbs and more distinct commands?",
    base=RunSpec(
        task=scan.Task(max_actions=6, data_size=2000, test_size=256),
        model=transformer.Model(layers=2, width=64, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.1, warmup_steps=50),
        batch_size=32,
    ),
    axes={"task.primitives": (4, 16, 64), "task.data_size": (500, 2000)},
    extra=({"task.primitives": 16, "task.data_size": 8000}, {"task.primitives": 64, "task.data_size": 8000}),
    seeds=5,
    horizon=3000,
    evaluations_per_decade=6,
    evaluation_examples=256,
    definition="wang2024",
)
