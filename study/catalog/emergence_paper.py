"""Does a list to memorize postpone addition to larger models, at the size of Huang et al. 2024 (arXiv 2402.15175)?

3,000 additions modulo 113 beside 3,000 to 6,000 pairs with random labels, and the best of three runs, as in the paper;
its models go from one layer of width 64 to eight of width 1024. The paper gives neither rates nor steps; these are
those of `circuits_competition_paper`. Needs a GPU.
Prediction: alone, additions generalize from width 64 on; with a list, whatever its length, from a model about 1,570
times larger; with split MLPs from a much smaller one.
Finding: open.
"""

import dataclasses

from study.catalog import emergence as small
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import emergence

LARGER = [{"model.layers": n, "model.width": w} for n, w in ((1, 128), (2, 256), (4, 512), (6, 768), (8, 1024))]
LISTS = (3000, 6000)

STUDY = dataclasses.replace(
    small.STUDY,
    base=RunSpec(
        task=emergence.Task(p=113, train_fraction=3000 / 113**2, memorize=3000),
        model=transformer.Model(layers=1, width=64, heads=4, norm="layer"),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=1.0, warmup_steps=10),
    ),
    axes={"model.layers": (1,), "model.width": (64,), "task.memorize": (0, *LISTS)},
    extra=[
        *(point | {"task.memorize": n} for point in LARGER for n in (0, *LISTS)),
        *(
            point | {"task.memorize": n, "model.split_mlp": True}
            for point in ({"model.layers": 1, "model.width": 64}, *LARGER)
            for n in LISTS
        ),
    ],
    horizon=40_000,
)
