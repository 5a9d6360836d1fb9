"""Does Muon need fewer hidden units than AdamW to learn the addition of a cyclic group?

Tian 2025 (Li2, arXiv 2509.21519), Theorem 8, scaled down for two CPU cores: Muon makes the units take different
features, so that about as many units as features are enough. With other optimizers each unit takes a random feature, so
more units are needed until every feature is taken.
Prediction: the width from which runs generalize is smaller with Muon, and at width 96 fewer units are live.
Finding (2026-11-30, 80 runs): the width is not smaller at this size, the share of live units is. With 60% of the pairs
of order 23, most seeds generalize from width 24 on with AdamW and from 28 on with Muon (AdamW's width is 0.88
[0.83, 1.04] of Muon's), and Muon takes up to twice as many steps. Up to width 48 both keep all units alive; at width 96
AdamW does, too, and Muon keeps 0.71 of them (28% less [27, 30]).
What was tried before: rates of 0.005, 0.05 and 0.1 for Muon's hidden matrix instead of 0.02 do no better.
"""

import dataclasses

from study.catalog import feature_emergence

STUDY = dataclasses.replace(
    feature_emergence.STUDY,
    question="Does Muon need fewer hidden units than AdamW?",
    base=feature_emergence.STUDY.base.with_values({"task.train_fraction": 0.6}),
    axes={"optimizer": ("adamw", "muon"), "model.width": (12, 16, 20, 24, 28, 32, 48, 96)},
    extra=(),
    seeds=5,
)
