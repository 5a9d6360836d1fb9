"""How many tasks must a transformer train on before it learns a new task from the examples that it is given?

Kirsch et al. 2022 (arXiv 2212.04458) map and permute MNIST to make up to 2^24 tasks; here the images are three Gaussian
clusters in six dimensions, an example has ten points of them, and the network has two layers.
Prediction: few tasks are memorized. With more tasks the network identifies which known task it is in (it learns
something within an example, but only on known tasks), and from some number on it learns unseen ones. The change is
sharp, and comes at more tasks in a wider network, which remembers more.
Finding (2026-11-30, 140 runs; half of them take 4 minutes): three phases as predicted, and a sharp change. At width 48
accuracy on the first answer of an example of a known task is 0.99, 0.96, 0.85, 0.70, 0.51, 0.35 and 0.33 with 4, 16,
64, 128, 256, 512 and 4096 tasks, and 0.99 to 0.89 on the last answer. On unseen tasks the last answer is at chance up
to 128 tasks (0.35), at 0.69 with 256 and at 0.88 with 512; at width 16 it is at 0.33, 0.45 and 0.78. The wider network
remembers slightly more, by 0.02 [0.01, 0.03]. But its accuracy is half way up at 219 tasks, that of width 16 at 322: it
does not seem to need more tasks, -0.56 doublings [-0.97, 0.06]. With five seeds only two claims were decided; seeds
were doubled once.
What was tried: widths 16 and 48, always for 1,000 steps, first with three seeds (42 runs). Accuracy was then half way
up at 192 tasks at width 48 and at 229 at width 16. One seed of width 8 needed more tasks than both.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import in_context_classification

STUDY = StudySpec(
    question="How many tasks must a transformer train on before it learns a new one from its examples?",
    base=RunSpec(
        task=in_context_classification.Task(base="clusters", dimensions=6, classes=3, points=10),
        model=transformer.Model(layers=2, width=16, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=5e-3, weight_decay=0.0, warmup_steps=50),
        batch_size=64,
    ),
    axes={"task.num_tasks": (4, 16, 64, 128, 256, 512, 4096), "model.width": (16, 48)},
    seeds=10,
    horizon=1000,
    evaluations_per_decade=4,  # evaluating five splits is expensive compared with so few steps
    evaluation_examples=512,
    definition="kirsch2022",
)
