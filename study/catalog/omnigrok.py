"""Does a large initial scale make images grok, and is the wait for generalization the time that decay takes?

Liu et al. 2022 (Omnigrok, arXiv 2210.01117): a network with two hidden ReLU layers, all initial weights times a factor,
squared error to one-hot targets, AdamW. Here 200 of scikit-learn's 8x8 digits and 50 units a layer, in place of 1,000
images of MNIST and 200 units; full batches at rate 0.005. Test accuracy counts from 0.9 on, because 200 of these images
do not lead much further; training accuracy from 0.95 on, as in the paper.
Prediction: at scale 3 steps to generalize fall like 1 / decay and steps to fit do not change with it. At scales up to 1
generalization follows at once.
What was tried: scales 1, 3, 4, 5 and 8, decays 0.03 to 1, 100 to 300 images, widths 50 to 100 and rates 0.003 to 0.01,
seeds 0, 100 and 101. With 100 images few runs passed 0.9, from scale 5 on they did not fit within 500 steps, and decays
of 1 act while the network fits. A transformer modulo 23 with scales 0.5 to 2 was begun, and came to no result.
Finding (2026-11-30, 96 runs, 8 minutes beside other work): the law is not decided. At scale 3 median steps to
generalize are 2,315, 716 and 488 at decays 0.1, 0.2 and 0.4, but at 0.05 only 3 of 6 runs pass 0.9 within 5,000 steps,
so that the power of the decay is unknown. Steps to fit are 206, 217, 237 and 215. At scales up to 1 all 48 runs
generalize within 50 steps of the fit; at scale 3 20 of 24 generalize later than that and 3 do not at all, a
difference of 0.83 [0.68, 0.99], where the bar is 0.8.
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
    seeds=6,
    horizon=5000,
)
