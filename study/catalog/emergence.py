"""Does a list to memorize postpone addition to larger models, and does splitting the MLP into halves bring it back?

Huang et al. 2024 (arXiv 2402.15175), multi-task emergence: one transformer learns additions and random labels under two
operators. Here additions modulo 19 beside 180 or all 361 pairs with random labels, one layer, full batch. A split MLP
has one half for each operator.
Prediction: alone, additions generalize from a small width on; with a list only from a larger one, whatever its length;
with split MLPs the width lies between these.
Finding (2026-11-21, 60 runs): alone, additions generalize from width 32 on (in one seed of three at 8 and 16). With a
list they generalize in no run up to width 64, which has 3.8 times the weights, although from 16 on all training data is
fitted; the median of the highest held-out accuracy is 0.47 to 0.77. Split MLPs do not bring generalization back at
these sizes: one run of 24 generalizes, at width 64 with 180 pairs. At width 32 with 180 pairs, 2,500 steps and twice
the decay do not help either (8 runs).
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import emergence

WIDTHS, LISTS = (16, 20, 24, 32, 48, 64), (180, 361)


def split(widths: tuple[int, ...], lists: tuple[int, ...]) -> list[dict[str, object]]:
    """The points with split MLPs."""
    return [{"model.width": w, "task.memorize": n, "model.split_mlp": True} for w in widths for n in lists]


STUDY = StudySpec(
    question="Does a list to memorize postpone addition to larger models, and do split MLPs bring it back?",
    base=RunSpec(
        task=emergence.Task(p=19, train_fraction=0.75, memorize=180),
        model=transformer.Model(layers=1, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0, warmup_steps=10),
    ),
    axes={"model.width": WIDTHS, "task.memorize": (0, *LISTS)},
    extra=split(WIDTHS, LISTS),
    seeds=5,
    horizon=2500,
)
