"""Does a chain of thought save a transformer data when it composes two random tables?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) for two CPU cores: `coverage` once more, with networks that
say the bridge before the answer. Runs without it are those of `coverage`, and are not trained again where it has been.
Prediction: with the bridge less data is needed, and it grows more slowly with the number of tokens (the paper: exponent
2.09 instead of 2.26); a non-tree fails all the same; a token without meaning in place of the bridge helps nobody.
Finding: open.
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
            for m in (2.2, 2.8, 3.4)
        ),
        {"task.chain_of_thought": "fake", "task.n": 16, "task.data_size": 870},
        {"task.structure": "non_tree", "task.chain_of_thought": "bridges", "task.n": 16, "task.data_size": 1664},
    ],
)
