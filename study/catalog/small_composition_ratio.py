"""Does the ratio of inferred to atomic facts set how fast a small transformer composes them?

`composition_ratio` scaled down for two CPU cores.
Prediction: larger ratios generalize earlier, and out-of-distribution accuracy stays at chance (0.02). Between
memorization and generalization the causal strength of S[1, r1] grows and that of S[1, h] vanishes.
Finding (2026-11-30, 25 runs, 47 minutes on slow cores that tests shared): as predicted. All runs fit (accuracy 0.9) by
step 870 to 1,540. Test accuracy passes 0.9 at step 1,540 to 1,778 for ratio 16, 2,054 to 2,371 for 12 and 2,371 to
3,652 for 10; at ratio 8 two of five seeds pass it, at 5,623 and 6,000, and the others end at 0.87 to 0.89; at ratio 6
all end at 0.43 to 0.56. Out of distribution it is 0 to 0.04. In the runs that grok, strength moves from h to r1 by 0.14
[0.11, 0.17], the MRR of the bridge entity at r1 is never below 0.81 [0.77, 0.84] after the fit, and that of r2 at r2
rises by 0.70 [0.64, 0.76]. With three seeds, on 2026-11-21 and 2026-11-29, it was the same.
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
