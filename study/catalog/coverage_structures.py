"""Which compositions of random tables does a transformer learn: two hops, two parallel ones, or one that is no tree?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) for two CPU cores: 16 tokens, a transformer of two layers.
Prediction: two parallel hops need more data than two hops; in the non-tree, where x2 reaches the answer on two ways,
test accuracy stays low even with most of the examples that there are; the gap by bridge (iicg) at x2 grows with data
in two hops and stays near 0 in the non-tree.
Finding: open.
"""

import dataclasses

from study.catalog import coverage

STUDY = dataclasses.replace(
    coverage.STUDY,
    question="Which compositions of random tables does a transformer learn?",
    axes={"task.structure": ("two_hop", "parallel_two_hop", "non_tree"), "task.data_size": (870, 1331, 1664)},
    extra=[{"task.structure": "parallel_two_hop", "task.data_size": 3600}],
)
