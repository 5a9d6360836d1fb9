"""Does a softmax of few bits stop a network from generalizing, because losses round to zero?

Prieto et al. 2025 (arXiv 2501.04697, figure 2): addition, a ReLU network, full batches, no weight decay, and a softmax
in 16, 32 and 64 bits; here modulo 23 with one hidden layer, and with Adam's epsilon 1e-30 throughout, as the authors
have it in the first of three panels. Other points have weight decay. The probe counts the training examples whose loss
is exactly zero.
Prediction: the fewer the bits, the sooner most losses are zero; from there on test accuracy rises less than in 64 bits.
With weight decay losses do not become zero.
Finding (2026-11-30, 72 runs; 36 of them take 71 seconds): as predicted. Without decay half of the
losses are zero at step 562 in 16 bits, 1,468 in 32 and 3,481 in 64, the same looks in nearly all runs. In 32 bits test
accuracy is highest soon after, at about step 1,700, and then falls; so it does in 16 bits. Its highest value is 0.14 in
16 bits, 0.32 in 32 (0.16 to 0.44 over seeds) and 0.65 in 64 (0.38 to 0.85). With decay 1 all runs generalize, in 16
bits as well, where up to 66% of the losses are zero on the way; in 32 bits it is 5%. With six
seeds the difference of 16 and 32 bits was undecided; seeds were doubled once.
What was tried: epsilon 1e-8, at which training in 64 bits all but stops as well, because gradients fall below epsilon;
60% of the pairs, of which this network generalizes from none.
"""

from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

LOSSES = ("cross_entropy_16", "cross_entropy", "cross_entropy_64")

STUDY = StudySpec(
    question="Does a softmax of few bits stop a network from generalizing, because losses round to zero?",
    base=RunSpec(
        task=modular.Task(p=23, train_fraction=0.85),
        model=mlp.Model(width=128, activation="relu"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, epsilon=1e-30),
    ),
    axes={"loss": LOSSES, "optimizer.weight_decay": (0.0, 1.0)},
    seeds=12,
    horizon=4000,
    probes=("softmax_collapse",),
    probes_per_decade=24,
)
