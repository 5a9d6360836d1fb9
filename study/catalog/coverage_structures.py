"""Which compositions of random tables does a transformer learn: two hops, two parallel ones, or one that is not a tree?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) scaled down for two CPU cores: 16 tokens, and a transformer
of two layers.
Prediction: two parallel hops need more data than two hops. In the non-tree, where x2 reaches the answer on two paths,
test accuracy stays low even with most of the examples that exist. The gap by bridge (iicg) at x2 grows with data in two
hops and stays near 0 in the non-tree.
Finding (2026-11-21, 30 runs, nine of them those of `coverage`): as predicted. With 1,664 examples test accuracy is 0.98
for two hops, 0.19 for two parallel hops (0.97 with 3,600), and 0.32 for the non-tree with 83% of the examples that
exist, while accuracy on the training set is 0.94 or more for each. After the first layer at x2 the gap by bridge is
0.28, 0.48 and 0.51 in two hops (870, 1,331 and 1,664 examples). In the non-tree it is 0.06, and 0.56 by bridge and x2
together. In parallel hops it appears between 1,664 (0.11) and 3,600 examples (0.38).
What was tried: three hops with three layers, 7,200 examples and rate 0.006 stay at 0.28 after 1,500 steps, on training
examples too; so three hops are only in the study at the paper's size.
"""

import dataclasses

from study.catalog import coverage

STUDY = dataclasses.replace(
    coverage.STUDY,
    question="Which compositions of random tables does a transformer learn?",
    axes={"task.structure": ("two_hop", "parallel_two_hop", "non_tree"), "task.data_size": (870, 1331, 1664)},
    extra=[
        {"task.structure": "parallel_two_hop", "task.data_size": 2400},
        {"task.structure": "parallel_two_hop", "task.data_size": 3600},
        *({"task.structure": "two_hop", "task.data_size": size} for size in (400, 1126)),  # runs of `coverage`
    ],
)
