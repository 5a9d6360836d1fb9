"""Is there double descent in how often a part of the training data is repeated, its peak where that part is known?

Hernandez et al. 2022 (arXiv 2205.10487) for language models of up to 800 million parameters; here a small transformer
that predicts the next symbol of a Markov chain and sees 32,768 examples, a share of them the same few over and over.
Prediction: few repeats do no harm, and neither do very many; in between the loss on fresh data has a peak, which is
higher for a larger share, and lies where the loss on the repeated examples comes near zero.
Finding (2026-11-21, 126 runs): as predicted. Of a half that is repeated, the loss on fresh examples is 1.55 nats at 1
repeat, 1.79 at 256 and 1.60 at 3,072; of three tenths 1.56, 1.64 and 1.57, of a tenth 1.55, 1.58 and 1.56. At 256 the
loss on the repeated examples has come down from 1.56 to 0.23, of a tenth to 0.45. Seeds have chains of their own, which
differ more in what can be known of them than repeats do harm: one claim stays undecided for it.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import repeated

STUDY = StudySpec(
    question="Is there double descent in how often a part of the training data is repeated?",
    base=RunSpec(
        task=repeated.Task(),
        model=transformer.Model(layers=1, width=32, heads=2),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.0, warmup_steps=50),
        batch_size=64,
    ),
    axes={"task.repeated_share": (0.1, 0.3, 0.5), "task.repeats": (1, 4, 16, 64, 256, 1024, 3072)},
    seeds=6,
    horizon=512,
    evaluations_per_decade=8,  # an evaluation is as much work as a hundred steps
    evaluation_examples=2048,
)
