"""Do more verbs, and more different commands, make a transformer use a verb in commands that it has only seen alone?

The commands of SCAN (Lake & Baroni 2018) with more verbs, after Zhou et al. 2023 (arXiv 2311.04420), for two CPU cores:
answers of at most 6 actions, two layers of width 32, and as many steps whatever the number of different commands, so
that 500, 2000 and 8000 commands are repeated 96, 24 and 6 times. A quarter of the verbs is held out (`ood`).
Prediction: with 4 verbs, as in SCAN, the held-out one fails although new commands of the others succeed; accuracy on
held-out verbs rises with the number of verbs and with that of different commands, and the gap to `train` falls.
Finding (2026-11-21, 24 runs, 14 minutes on two very busy cores): the directions are as predicted, but nothing uses
held-out verbs well at this size. Accuracy on held-out verbs is 0.00 to 0.01 with 4 and 16 verbs; with 64 it is 0.01,
0.09 and 0.08 for 500, 2000 and 8000 commands, 0.22 in the best run. On new commands of the other verbs it is 0.67 and
0.92 with 4 verbs, 0.57, 0.92 and 0.91 with 16, and 0.25, 0.88 and 0.93 with 64: repetition decides between memorizing
and generalizing there, and adds little between 2000 and 8000. Trials beside the study: with width 64 and 64 verbs
0.24 and 0.27 (two runs of 8000 commands) and 0.07 (one of 500); 256 verbs do not do better in width 32 (0.10 and 0.13).
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import scan

STUDY = StudySpec(
    question="Do more verbs and more different commands make a transformer use a verb that it has only seen alone?",
    base=RunSpec(
        task=scan.Task(max_actions=6, data_size=2000, test_size=256),
        model=transformer.Model(layers=2, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.1, warmup_steps=50),
        batch_size=32,
    ),
    axes={"task.primitives": (4, 16, 64), "task.data_size": (500, 2000)},
    extra=({"task.primitives": 16, "task.data_size": 8000}, {"task.primitives": 64, "task.data_size": 8000}),
    seeds=3,
    horizon=1500,
    evaluations_per_decade=6,
    evaluation_examples=256,
    definition="wang2024",
)
