"""Does the ratio of inferred to atomic facts set how fast a small transformer composes them?

`composition_ratio` scaled down for two CPU cores.
Prediction: larger ratios generalize earlier, and out-of-distribution accuracy stays at chance (0.02). Between
memorization and generalization the causal strength of S[1, r1] grows and that of S[1, h] vanishes.
Finding (2026-11-21, 15 runs, 15 minutes on two busy cores): as predicted. All runs fit (accuracy 0.9) by step 1,000 to
1,540. Test accuracy passes 0.9 at step 1,780 for ratio 16, 2,050 for 12, 3,160 for 10 and 5,250 for 8 (two of three
seeds), and not by 6,000 for 6 (0.51). Out of distribution it is 0.01 to 0.03. From the first probe after fitting to the
end the strength of S[1, r1] grows in all nine runs at ratios 10 and below (0.85 to 0.94 at 6, 0.95 to 0.99 at 8), that
of S[1, h] falls (0.20 to 0.02 at 6), and the MRR of r2 at S[1, r2] rises (0.04 to 0.71 at 10).
Trained again on 2026-11-29 (13 minutes): one of three seeds passes 0.9 at ratio 8, the others end at 0.89. In the runs
that grok, strength moves from h to r1 by 0.12 [0.05, 0.19], the MRR of the bridge entity at r1 is never below 0.81
[0.70, 0.89] after the fit, and that of r2 at r2 rises by 0.68 [0.59, 0.75].
What was tried: width 64 learns as fast per step but does not generalize fully by 20,000 steps, and does not fit with
decay 1.0; three layers generalize in about as many steps at twice the cost; batches of 128 and 256 need equally many
steps.
"""

from study.catalog._wang2024 import PROBES, small, small_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does the ratio of inferred to atomic facts set how fast a small transformer composes them?",
    base=small(small_graph(10.0)),
    axes={"task.ratio": (6.0, 8.0, 10.0, 12.0, 16.0)},
    seeds=5,
    horizon=6000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    probes=PROBES,
    probes_per_decade=8,
    definition="wang2024",
)
