"""Do groups that do not commute need a larger share of their table than those of the same order that do?

Tian 2025 (Li2, arXiv 2509.21519) for two CPU cores: four groups of order 24, cyclic, a product, dihedral (irreducible
representations of dimension 1 and 2) and symmetric (1, 2 and 3).
Prediction: Theorem 4 asks for d^2 M log(M) examples, d the largest dimension: the cyclic group and the product need the
same share, the dihedral group more, the symmetric group most.
Finding (2026-11-21, 96 runs): the symmetric group does, the dihedral one does not. Half of the runs generalize from
0.42 of the pairs on for the cyclic group, 0.41 for the product, 0.51 for the symmetric group (1.21 [1.12, 1.24] times
the cyclic one), and from 0.38 on for the dihedral group. A first grid in steps of 0.1 could not tell.
"""

import dataclasses

from study.catalog import feature_emergence

STUDY = dataclasses.replace(
    feature_emergence.STUDY,
    question="Do groups that do not commute need a larger share of their table?",
    axes={
        "task.group": ("Z24", "Z2xZ12", "D12", "S4"),
        "task.train_fraction": (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7),
    },
    extra=(),
)
