"""Is there double descent in how often part of the data is repeated, with its peak where that part is memorized?

Hernandez et al. 2022 (arXiv 2205.10487) train language models of up to 800 million parameters; here a small transformer
predicts the next symbol of a Markov chain and sees 32,768 examples, a share of them the same few over and over.
Prediction: few repeats do no harm, and neither do very many. Between them the loss on fresh data has a peak, which is
higher for a larger share, and lies where the loss on the repeated examples comes near zero.
Finding (2026-11-30, 126 runs, 107 seconds): as predicted. If half of the data is repeated, the loss on fresh examples
is 1.55 nats at 1 repeat, 1.79 at 256 and 1.60 at 3,072; for three tenths it is 1.56, 1.64 and 1.57, for a tenth 1.55,
1.58 and 1.56. At 256 repeats the loss on the repeated examples has fallen to a seventh. Each seed has its own chain,
and how predictable chains are differs more than what repeats cost, so losses are compared within a seed.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import repeated

STUDY = StudySpec(
    question="Is there double descent in how often part of the training data is repeated?",
    base=RunSpec(
        task=repeated.Task(),
        model=transformer.Model(layers=1, width=32, heads=2),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.0, warmup_steps=50),
        batch_size=64,
    ),
    axes={"task.repeated_share": (0.1, 0.3, 0.5), "task.repeats": (1, 4, 16, 64, 256, 1024, 3072)},
    seeds=6,
    horizon=512,
    evaluations_per_decade=8,  # one evaluation takes as much work as a hundred steps
    evaluation_examples=2048,
)
