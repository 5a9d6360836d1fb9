"""Do measures of the circuit that adds make progress while test accuracy still stands still?

Nanda et al. 2023 (arXiv 2301.05217) scaled down for two CPU cores: a one-layer transformer on addition modulo 37, width
32 instead of 128. (a, b) and (b, a) are in one split, so that no test answer is given away by commutativity.
Prediction: between the fit and the rise of test accuracy, restricted loss falls and excluded loss rises, while the
training loss has nothing left to say; in the end there are a few key frequencies, and the embedding's Gini coefficient
has risen. With random labels none of it happens.
What was tried: modulo 31, no run generalizes in 1,000 steps with 60% of the pairs, and all do in 300 with 85%, while
they still fit; a rate of 0.004 takes several times as long. Without pairs in one split, commutativity alone gives test
accuracies of 0.1 to 0.5 at the fit. Key frequencies by their share of power do not tell a circuit from training pairs
known by rote (see the probe), by which the rule was chosen. Seeds 0 to 2 at 65% had been tried for 1,000 steps before
the bars were set.
Finding (2026-11-30, 36 runs; 18 of them take 107 seconds): as predicted. All runs have fitted by the
first look, at step 100; 21 of 24 with true sums pass one half of the test split, at steps 316 to 2,154. At the last
look before that, restricted loss has lost 0.98 [0.97, 0.99] of the loss of guessing. It is at half of that loss
e^1.72 = 5.6 times [4.5, 7.0] as early as test loss. Excluded loss rises by 4.5 [3.4, 5.8] nats above the training loss
between these two looks; at the first it is 1.3 to 4.6, because much of the circuit forms with the fit. In the end 2.9
[2.7, 3.1] of 18 frequencies are key frequencies, and the Gini coefficient has risen by 0.30 [0.28, 0.32] more than with
random labels. There 0 to 2 frequencies are key in the end, restricted loss is above that of guessing at every look, and
excluded loss at most 0.1 nats above the training loss. A run with true sums that never generalizes has a restricted
loss of less than half of guessing from step 1,101 on, which is thus no proof that it will. The first six seeds had been
seen in part when bars were set; with six more that nobody had seen all verdicts stayed.
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
    seeds=12,
    horizon=2500,
    probes=("progress_measures",),
    probes_per_decade=24,
    leave_when_generalized=True,
)
