"""How long does a network take to find the bits of a parity, and how few of its units does it use, at paper size?

Merrill et al. 2023 (arXiv 2303.11873): 1,000 hidden units, batches of 32, rate 0.1 and decay 0.01 on 1,000 examples of
40 bits; here with cross-entropy in place of the hinge loss. The scaling of Barak et al. 2022 (2207.08799) has up to 4
bits that count. Needs a GPU.
Prediction: as `sparse_parity`; with k = 4 steps grow like n^3.
Finding: open.
"""

import dataclasses

from study.catalog import sparse_parity
from trainables.models import dense

STUDY = dataclasses.replace(
    sparse_parity.STUDY,
    base=dataclasses.replace(sparse_parity.STUDY.base, model=dense.Model(width=1000)),
    axes={"task.n": (16, 24, 36, 54, 80), "task.k": (2, 3, 4)},
    horizon=300_000,
)
