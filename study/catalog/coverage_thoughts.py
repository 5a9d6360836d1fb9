"""Does a chain of thought reduce the data that a transformer needs to compose two random tables?

The coverage principle (Chang et al. 2025, arXiv 2505.20278) scaled down for two CPU cores: as `coverage`, with networks
that state the bridge before the answer. The runs without it are those of `coverage` and are shared with it.
Prediction: with the bridge less data is needed, and it grows more slowly with the number of tokens (the paper: exponent
2.09 instead of 2.26). A non-tree stays behind all the same, and a token without meaning does not help.
Finding (2026-12-01, 190 runs, 29 minutes beside other work): as predicted. With the bridge 281, 341, 529, 645 and 760
examples are enough for 12, 14, 16, 18 and 20 tokens; without it 496, 723, 1,022, 1,353 and 1,703 are, twice as many (ln
of the quotient -0.71 [-0.75, -0.65]). The exponent is 2.07 instead of 2.43, a difference of -0.37 [-0.67, -0.06]. With
16 tokens and 870 examples accuracy is 0.59 without thoughts and 0.60 with a token without meaning. The non-tree reaches
0.80 with the bridge, two hops 1.00: -0.20 [-0.27, -0.15].
What was tried before (2026-11-21): three numbers of tokens and three seeds left open whether the exponent falls.
"""

import dataclasses

from study.catalog import coverage

of_coverage = coverage.STUDY.points()

STUDY = dataclasses.replace(
    coverage.STUDY,
    question="Does a chain of thought reduce the data that a transformer needs to compose two random tables?",
    seeds=5,
    axes={"task.chain_of_thought": ("bridges",), "task.n": (16,), "task.data_size": (1664,)},
    extra=[
        *({"task.chain_of_thought": "none"} | point for point in of_coverage),
        *(
            {"task.chain_of_thought": "bridges", "task.n": n, "task.data_size": round(m * n**2)}
            for n in coverage.TOKENS
            for m in (1.6, 2.0, 2.5)
            if n > 12 or m > 2
        ),
        {"task.chain_of_thought": "bridges", "task.n": 12, "task.data_size": 260},
        # Fewer examples than the usual batch of 256: its own batch size.
        {"task.chain_of_thought": "bridges", "task.n": 12, "task.data_size": 200, "batch_size": 200},
        {"task.chain_of_thought": "fake", "task.n": 16, "task.data_size": 870},
        {"task.structure": "non_tree", "task.chain_of_thought": "bridges", "task.n": 16, "task.data_size": 1664},
    ],
)
