"""Do measures of the circuit that adds make progress while test accuracy still stands still?

Nanda et al. 2023 (arXiv 2301.05217) scaled down for two CPU cores: a one-layer transformer on addition modulo 37, width
32 instead of 128. (a, b) and (b, a) are in one split, so that no test answer is given away by commutativity.
Prediction: between the fit and the rise of test accuracy, restricted loss falls and excluded loss rises, while the
training loss has nothing left to say; in the end there are a few key frequencies, and the embedding's Gini coefficient
has risen. With random labels none of it happens.
What was tried: modulo 31 with 60% of the pairs or less no run generalizes in 1,000 steps, with 80% all do within 300,
while they still fit; rates of 0.003 to 0.005 take three times as long. Key frequencies by their share of power do not
tell a circuit from training pairs known by rote (see the probe).
Finding: open.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Do measures of the circuit that adds make progress while test accuracy still stands still?",
    base=RunSpec(
        task=modular.Task(p=37, train_fraction=0.7, pairs_together=True),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0, warmup_steps=10),
    ),
    axes={"task.train_fraction": (0.65, 0.7)},
    # A control with nothing to find but labels to memorize.
    extra=[{"task.train_fraction": 0.7, "task.labels": "random"}],
    seeds=6,
    horizon=2500,
    probes=("progress_measures",),
    probes_per_decade=24,
    leave_when_generalized=True,
)
