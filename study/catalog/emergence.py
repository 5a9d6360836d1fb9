"""Does a list to memorize postpone addition to larger models, and does splitting the MLP into halves bring it back?

Huang et al. 2024 (arXiv 2402.15175), multi-task emergence: one transformer learns additions and random labels under two
operators. Here additions modulo 19 beside 180 or all 361 pairs with random labels, one layer, full batch. A split MLP
has one half for each operator.
Prediction: alone, additions generalize from a small width on; with a list only from a larger one, whatever its length;
with split MLPs the width lies between these.
Finding (2026-11-30, 150 runs, 16 minutes beside other work): mostly as predicted. Alone, additions pass 0.9 at every
width from 16 on, in 147 to 422 steps. Beside 180 pairs they do, too, but late: at width 16 at 1,334 steps and more, and
three of 30 runs never; beside all 361 pairs they do not in 27 of 30 runs up to width 64. So a list asks for 13.7 [6.6,
84] times the weights. Split MLPs bring it back: with 361 pairs at 562 to 1,100 steps in most seeds, and already at
width 16 in all five; with the list they need 0.07 [0.01, 0.15] times the weights of whole ones. Whether the length of
the list matters has no number, because no width up to 64 is enough for 361 pairs. Many runs fall below 0.9 again after
they have passed it.
What was tried before (2026-11-21, 60 runs): without normalisation, at rate 0.02 and with 1,000 steps, additions
generalized with a list in no run, and split MLPs helped in one of 24.
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
