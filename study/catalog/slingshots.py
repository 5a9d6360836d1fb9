"""Does training without weight decay end in spikes of the loss, and do Adam's epsilon and the softmax's bits decide it?

Thilak et al. 2022 (arXiv 2206.04817) found the spikes, which they call slingshots, with Adam and without any decay; Liu
et al. 2026 (arXiv 2605.06152) put them down to rounding in float32. A one-layer transformer adds modulo 19, full batch.
Prediction: with epsilon 1e-8 and a softmax in 32 bits the training loss rises more than tenfold after it had all but
vanished; with epsilon 1e-5 it does not, nor in 64 bits. Test accuracy does not depend on it.
Finding (2026-11-30, 64 runs; half of them take a minute): as predicted. All 16 runs with epsilon 1e-8 and 32 bits have
a spike: in the first eight seeds the loss rises to between 0.005 and 1.4 at steps 1,072 to 1,148, after half of the
training examples had a loss of exactly zero at steps 562 to 825. Of the other 48 runs none has one. With epsilon 1e-5
losses are as near to zero by step 681 to 1,468, without spikes; in 64 bits less than half of the losses are zero by the
end. Mean test accuracy ends at 0.47 to 0.49 in all four cases: by step 1,500 spikes neither help nor harm.
What was tried: p = 23 and learning rate 3e-3, and 80% of the pairs: the same spikes, later. A network without attention
(`mlp`) has none in 4,000 steps.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Do Adam's epsilon and the bits of the softmax decide whether the training loss has late spikes?",
    base=RunSpec(
        task=modular.Task(p=19, train_fraction=0.65),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=0.01),
    ),
    axes={"optimizer.epsilon": (1e-8, 1e-5), "loss": ("cross_entropy", "cross_entropy_64")},
    seeds=16,
    horizon=1500,
    evaluations_per_decade=100,
    probes=("softmax_collapse",),
    probes_per_decade=12,
)
