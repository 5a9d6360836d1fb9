"""Does a large initial scale make images grok, and is the wait for generalization the time that decay takes?

Liu et al. 2022 (Omnigrok, arXiv 2210.01117): a network with two hidden ReLU layers, all initial weights times a factor,
squared error to one-hot targets, AdamW. Here 200 of scikit-learn's 8x8 digits and 50 units a layer, in place of 1,000
images of MNIST and 200 units; full batches at rate 0.005. Test accuracy counts from 0.9 on, because 200 of these images
do not lead much further; training accuracy from 0.95 on, as in the paper.
Prediction: at scale 3 steps to generalize fall like 1 / decay and steps to fit do not change with it. At scales up to 1
generalization follows at once.
What was tried: scales 1, 3, 4, 5 and 8, decays 0.03 to 1, 100 to 300 images, widths 50 to 100 and rates 0.003 to 0.01,
seeds 0, 100 and 101. With 100 images accuracy ends at 0.88 to 0.93, hardly above 0.9; from scale 5 on they did not fit
within 500 steps, and decays of 1 act while the network fits. A transformer modulo 23 with scales 0.5 to 2 was begun,
and came to no result.
Finding (2026-11-30, 192 runs; half of them take 140 seconds): with six seeds and a first horizon of 5,000 half of the
runs at scale 3 and decay 0.05 had not generalized, so that neither power was known, and grokking by scale was
undecided. The horizon was then doubled, after that was seen, and the seeds, too; bars stayed. Median steps to
generalize at scale 3 are 4,642, 3,162, 750 and 443, which fall like decay^-1.22 [-1.46, -0.91]: undecided, between the
law and steeper. Steps to fit are 215 to 237; their power is 0.02 [-0.08, 0.10] of that. All 96 runs at scales up to 1
generalize within 100 steps of the fit, and 46 of 48 at scale 3 do so later, a difference of 0.96 [0.89, 1].
"""

from study.spec import StudySpec
from trainables.models import dense
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import digits

STUDY = StudySpec(
    question="Does a large initial scale make images grok, and is the delay the time that weight decay takes?",
    base=RunSpec(
        task=digits.Task(data_size=200),
        model=dense.Model(layers=2, width=50),
        optimizer=adamw.Optimizer(learning_rate=5e-3, weight_decay=0.1, beta2=0.999),
        loss="mse",
    ),
    axes={"model.init_scale": (0.5, 1.0, 2.0, 3.0), "optimizer.weight_decay": (0.05, 0.1, 0.2, 0.4)},
    seeds=12,
    horizon=10_000,
)
