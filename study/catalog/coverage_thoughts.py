"""Does a chain of thought save a transformer data when it composes two random tables?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) for two CPU cores: `coverage` once more, with networks that
say the bridge before the answer. Runs without it are those of `coverage`, and are not trained again where it has been.
Prediction: with the bridge less data is needed, and it grows more slowly with the number of tokens (the paper: exponent
2.09 instead of 2.26); a non-tree fails all the same; a token without meaning in place of the bridge helps nobody.
Finding (2026-11-21, 87 runs): with the bridge 275, 571 and 724 examples are enough for 12, 16 and 20 tokens, without it
520, 995 and 1,696: half as many. The exponent is 1.93 instead of 2.31; three seeds leave it just open whether it falls.
A token without meaning gives 0.59 where nothing gives 0.64 and the bridge 0.96 (16 tokens, 870 examples). The non-tree
comes to 0.78 with the bridge, 0.32 without: not as far as two hops, but it does not fail.
"""

import dataclasses

from study.catalog import coverage

STUDY = dataclasses.replace(
    coverage.STUDY,
    question="Does a chain of thought save a transformer data when it composes two random tables?",
    axes={"task.chain_of_thought": ("bridges",), "task.n": coverage.TOKENS, "task.data_size": (260,)},
    extra=[
        *(
            {"task.chain_of_thought": "none", "task.n": n, "task.data_size": round(m * n**2)}
            for n in coverage.TOKENS
            for m in (3.4, 4.4, 5.2, 6.5)
            if (n, m) != (12, 6.5)  # 12 tokens do not have so many
        ),
        *(
            {"task.chain_of_thought": "bridges", "task.n": n, "task.data_size": round(m * n**2)}
            for n in coverage.TOKENS
            for m in (1.8, 2.2, 2.8, 3.4)
            if (n, m) != (12, 1.8)
        ),
        {"task.chain_of_thought": "none", "task.n": 12, "task.data_size": 400},
        # The other batches are of 256 examples, more than 12 tokens need.
        {"task.chain_of_thought": "bridges", "task.n": 12, "task.data_size": 200, "batch_size": 200},
        {"task.chain_of_thought": "fake", "task.n": 16, "task.data_size": 870},
        {"task.structure": "non_tree", "task.chain_of_thought": "bridges", "task.n": 16, "task.data_size": 1664},
    ],
)
