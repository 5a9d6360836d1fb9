"""Does a chain of thought reduce the data that a transformer needs, at the size of Chang et al. 2025?

GPT-2 with 8 layers (arXiv 2505.20278) over 50 to 200 tokens with the bridge before the answer, and the runs of
`coverage_paper` without it; three hops and the non-tree over 50 tokens. Needs a GPU.
Prediction: exponent 2.09 with the bridge, 2.26 without; the non-tree fails all the same.
Finding: open.
"""

import dataclasses

from study.catalog import coverage_paper, coverage_thoughts

TOKENS = coverage_paper.TOKENS
SIZES = {"none": (3, 4.5, 6, 7.5, 9, 11), "bridges": (2, 3, 4.5, 6)}

STUDY = dataclasses.replace(
    coverage_thoughts.STUDY,
    base=coverage_paper.STUDY.base,
    axes={"task.chain_of_thought": ("bridges", "fake"), "task.n": (50,), "task.data_size": (15_000,)},
    extra=[
        *(
            {"task.chain_of_thought": thoughts, "task.n": n, "task.data_size": round(m * n**2)}
            for thoughts, sizes in SIZES.items()
            for n in TOKENS
            for m in sizes
        ),
        *(
            {"task.structure": structure, "task.chain_of_thought": "bridges", "task.n": 50, "task.data_size": size}
            for structure in ("three_hop", "non_tree")
            for size in (10_000, 20_000, 50_000)
        ),
    ],
    horizon=62_500,
    evaluation_examples=None,
    evaluation_share=None,
)
