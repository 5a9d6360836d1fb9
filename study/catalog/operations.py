"""Which operations are grokked, and how many steps more does it take with one percent of the table less?

Power et al. 2022 (arXiv 2201.02177) scaled down for two CPU cores: tables modulo 23 in place of 97 and of the
permutations of five things, and a transformer of one layer.
Prediction: a^3 + ab^2 + b generalizes at no size of the data, where the other operations do. Near the smallest fraction
that generalizes, each percent less takes 40 to 50% more steps.
Finding: open.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

MOST = 0.9

STUDY = StudySpec(
    question="Which operations are grokked, and how many steps does a percent of the table save?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=MOST),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0, warmup_steps=10),
    ),
    axes={
        "task.operation": ("add", "sub", "mul", "div", "quadratic", "cubic_plus_b"),
        "task.train_fraction": (MOST,),
    },
    extra=[
        {"task.operation": "sub", "task.train_fraction": fraction}
        for fraction in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
    ],
    seeds=6,
    horizon=3000,
    leave_when_generalized=True,
)
