"""Does Muon need fewer hidden units than AdamW to learn the addition of a cyclic group?

Tian 2025 (Li2, arXiv 2509.21519), Theorem 8, for two CPU cores: Muon makes the units take different features, so that
about as many units as features are enough, where others draw features at random until all are there.
Prediction: the width from which runs generalize is smaller with Muon.
Finding: open.
"""

import dataclasses

from study.catalog import feature_emergence

STUDY = dataclasses.replace(
    feature_emergence.STUDY,
    question="Does Muon need fewer hidden units than AdamW?",
    base=feature_emergence.STUDY.base.with_values({"task.train_fraction": 0.6}),
    axes={"optimizer": ("adamw", "muon"), "model.width": (12, 16, 20, 24, 28, 32, 48)},
    extra=(),
    seeds=5,
)
