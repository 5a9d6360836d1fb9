"""Is there double descent in the width below the crossing and only there, at the size of Huang et al. (2402.15175)?

The paper's 15 widths at 2600, 3000, 4000 and 5000 examples of addition modulo 113 and of its twin (a + b)^2, and random
labels on all pairs; 11 seeds. The paper gives neither learning rate, weight decay nor steps; these are from Nanda et
al. (2301.05217). Needs a GPU.
Prediction: accuracy for a + b falls to 0 between widths 24 and 40 at 2600 examples, dips at 3000, and only rises at
4000 and 5000; for the twin it falls to 0 at width 24 with 3000 examples.
Finding: open.
"""

import dataclasses

from study.catalog import circuits_competition_paper, double_descent

PAPER = circuits_competition_paper.STUDY

STUDY = dataclasses.replace(
    double_descent.STUDY,
    base=PAPER.base,
    axes={
        "task.operation": ("add", "square_of_sum"),
        "model.width": circuits_competition_paper.WIDTHS,
        "task.data_size": (2600, 3000, 4000, 5000),
    },
    extra=PAPER.extra,
    seeds=11,
    horizon=40_000,
)
