"""Does a network that generalizes forget when it continues with less data, below the same size for every weight decay?

Varma et al. 2023 (arXiv 2309.02390) study transformers modulo 113; here a quadratic network modulo 23. Half of the runs
train on all pairs for 500 steps and then continue with `data_size` examples; the others train on these from the
beginning.
Prediction: below a critical data size test accuracy is lost (ungrokking), and that size does not depend on weight
decay. From scratch a network needs more data (hysteresis), and ends with partial accuracy near the critical size
(semi-grokking).
Finding (2026-11-30, 210 runs, 6,000 steps): as predicted but for the last. Continued runs keep half of their accuracy
from 149, 154 and 132 examples on at decays 0.3, 1 and 3. From scratch runs need 191, 187 and 176, 1.29 times as many.
Partial accuracy lasts at decay 3 alone: there all five seeds with 159 examples end at 0.24 to 0.35 and three of them no
longer move. At 219 examples and decay 0.3, where all seeds were in between after 3,000 steps, they were on their way.
What was tried: only these settings, first with four seeds and 3,000 steps (168 runs). Continued runs then kept half of
their accuracy from 133, 142 and 130 examples on, and runs from scratch needed 212, 188 and 178. All four seeds with 219
examples and decay 0.3 ended with partial accuracy, which does not last for 6,000 steps.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Does a network that generalizes forget when it continues with less data?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=None, data_size=264),
        model=mlp.Model(width=128),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
        loss="mse",
    ),
    axes={
        "full_data_steps": (0, 500),
        "task.data_size": (60, 83, 115, 159, 219, 303, 420),
        "optimizer.weight_decay": (0.3, 1.0, 3.0),
    },
    seeds=5,
    horizon=6000,
    definition="huang2024",
)
