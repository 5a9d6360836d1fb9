"""Do non-commutative groups need a larger share of their table than commutative groups of the same order?

Tian 2025 (Li2, arXiv 2509.21519) scaled down for two CPU cores: four groups of order 24, cyclic, a product, dihedral
(irreducible representations of dimension 1 and 2) and symmetric (1, 2 and 3).
Prediction: Theorem 4 asks for d^2 M log(M) examples, where d is the largest dimension. So the cyclic group and the
product need the same share, the dihedral group more, and the symmetric group most.
Finding (2026-11-30, 160 runs): the symmetric group does, the dihedral one does not. Half of the runs generalize from
0.43 of the pairs on for the cyclic group, from 0.39 for the product, from 0.51 for the symmetric group (1.2 [1.1, 1.26]
times the cyclic one), and from 0.38 for the dihedral group. A first grid in steps of 0.1 could not tell.
"""

import dataclasses

from study.catalog import feature_emergence

STUDY = dataclasses.replace(
    feature_emergence.STUDY,
    question="Do non-commutative groups need a larger share of their table than commutative ones?",
    axes={
        "task.group": ("Z24", "Z2xZ12", "D12", "S4"),
        "task.train_fraction": (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7),
    },
    extra=(),
    seeds=5,
)
