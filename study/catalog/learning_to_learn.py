"""How many tasks must a transformer train on before it learns a new task from the examples that it is given?

Kirsch et al. 2022 (arXiv 2212.04458) map and permute MNIST to make up to 2^24 tasks; here three Gaussian clusters in
six dimensions, ten points of them in an example, and two layers.
Prediction: few tasks are memorized, with more the network finds out which known task it is in (something is learnt
within an example, on known tasks alone), and from some number on it learns unseen ones; the change is sharp, and comes
at more tasks in a wider network, which remembers more.
Finding: open.
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
    seeds=3,
    horizon=1000,
    evaluations_per_decade=4,  # of so few steps, five splits are dear
    evaluation_examples=512,
    definition="kirsch2022",
)
