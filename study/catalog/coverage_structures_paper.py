"""Which compositions of random tables does a transformer learn, at the size of Chang et al. 2025 (arXiv 2505.20278)?

GPT-2 with 8 layers over 50 tokens, all four structures, up to 50,000 examples (most of the 61,250 that a non-tree has),
and more for the two longer structures. Needs a GPU.
Prediction: as `coverage_structures`, and three hops need more data than two parallel hops.
Finding: open.
"""

import dataclasses

from study.catalog import coverage_structures
from study.catalog.coverage_paper import paper
from trainables.tables import STRUCTURES
from trainables.tasks import hops

STUDY = dataclasses.replace(
    coverage_structures.STUDY,
    base=paper(hops.Task(n=50, data_size=10_000)),
    axes={"task.structure": tuple(STRUCTURES), "task.data_size": (10_000, 15_000, 20_000, 30_000, 50_000)},
    extra=[
        {"task.structure": structure, "task.data_size": size}
        for structure in ("parallel_two_hop", "three_hop")
        for size in (70_000, 100_000)
    ],
    seeds=5,
    horizon=62_500,
    evaluation_examples=None,
    evaluation_share=None,
)
