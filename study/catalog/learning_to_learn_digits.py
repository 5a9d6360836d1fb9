"""How many tasks must a transformer train on before it learns to classify the digits of a new task from its examples?

`learning_to_learn` with images instead of clusters: three of the 8x8 digits of scikit-learn, mapped to 16 dimensions.
Prediction: as for clusters, with the change at more tasks, because images of a class differ more.
Finding (2026-11-30, 50 runs, 6 minutes 29): as predicted. Accuracy on the first answer of an example of a known task is
0.98, 0.93, 0.75, 0.46 and 0.33 with 4, 64, 256, 1024 and 4096 tasks. On the last answer of an unseen task it is near
chance up to 1024 tasks (0.38) and 0.66 with 4096: 0.33 [0.29, 0.37] are learned there, and the bar is at 0.3.
What was tried: 1,000 steps with three seeds (15 runs), after which training with 4096 tasks is only just past its
plateau: its loss, 1.10 nats at step 316, is 1.07 at 562 and 0.96 at the end. The last answer of an unseen task was then
at 0.37 with 1024 tasks and at 0.55 with 4096. Width 32 is the only one that was tried.
"""

import dataclasses

from study.catalog import learning_to_learn
from trainables.models import transformer
from trainables.tasks import in_context_classification

STUDY = dataclasses.replace(
    learning_to_learn.STUDY,
    question="How many tasks must a transformer train on before it learns to classify the digits of a new task?",
    base=dataclasses.replace(
        learning_to_learn.STUDY.base,
        task=in_context_classification.Task(base="digits", dimensions=16, classes=3, points=10),
        model=transformer.Model(layers=2, width=32, heads=4, norm="rms"),
    ),
    axes={"task.num_tasks": (4, 64, 256, 1024, 4096)},
    horizon=2000,  # at 1,000 steps, with 4,096 tasks, the loss has only just left its plateau
)
