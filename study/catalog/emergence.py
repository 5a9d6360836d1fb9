"""Does a list to memorize postpone addition to larger models, and does an MLP of which each has a half bring it back?

Huang et al. 2024 (arXiv 2402.15175), multi-task emergence: additions and random labels under two operators in one
transformer. Here additions modulo 19 beside 180 or all 361 pairs with random labels, one layer, full batch.
Prediction: additions alone generalize from a small width on, with a list only at a larger one, whatever its length;
with split MLPs the width lies between.
Finding: open.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import emergence

WIDTHS, LISTS = (8, 16, 32, 64), (180, 361)


def split(widths: tuple[int, ...], lists: tuple[int, ...]) -> list[dict[str, object]]:
    """The points whose MLPs are split."""
    return [{"model.width": w, "task.memorize": n, "model.split_mlp": True} for w in widths for n in lists]


STUDY = StudySpec(
    question="Does a list to memorize postpone addition to larger models, and do split MLPs bring it back?",
    base=RunSpec(
        task=emergence.Task(p=19, train_fraction=0.75, memorize=180),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=0.02, weight_decay=1.0, warmup_steps=10),
    ),
    axes={"model.width": WIDTHS, "task.memorize": (0, *LISTS)},
    extra=split(WIDTHS, LISTS),
    seeds=3,
    horizon=1500,
)
