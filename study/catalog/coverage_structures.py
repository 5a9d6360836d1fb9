"""Which compositions of random tables does a transformer learn: two hops, two parallel ones, or one that is no tree?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) for two CPU cores: 16 tokens, a transformer of two layers.
Prediction: two parallel hops need more data than two hops; in the non-tree, where x2 reaches the answer on two ways,
test accuracy stays low even with most of the examples that there are; the gap by bridge (iicg) at x2 grows with data
in two hops and stays near 0 in the non-tree.
Finding (2026-11-21, 30 runs, of which nine are those of `coverage`): as predicted. With 1,664 examples two hops are
answered at 0.98, two parallel hops at 0.19 (0.97 with 3,600), the non-tree at 0.32 with 83% of the examples that there
are, and each fits its training set to 0.94 and more. The gap by bridge after the first layer at x2 is 0.28, 0.48 and
0.51 in two hops (870, 1,331 and 1,664 examples) and 0.06 in the non-tree, where it is 0.56 by bridge and x2 together;
in parallel hops it comes between 1,664 (0.11) and 3,600 (0.38).
What was tried: three hops with three layers, 7,200 examples and rate 0.006 stay at 0.28, training examples too, after
1,500 steps; they are in the study at the paper's size alone.
"""

import dataclasses

from study.catalog import coverage

STUDY = dataclasses.replace(
    coverage.STUDY,
    question="Which compositions of random tables does a transformer learn?",
    axes={"task.structure": ("two_hop", "parallel_two_hop", "non_tree"), "task.data_size": (870, 1331, 1664)},
    extra=[{"task.structure": "parallel_two_hop", "task.data_size": 3600}],
)
