"""Does running the same layers twice unlock systematic generalization in a small transformer?

`composition_sharing` scaled down for two CPU cores: two layers, run once or twice.
Prediction: a shared stack generalizes out of distribution above three times chance (0.042), one without sharing does
not.
Finding (2026-11-30, 20 runs, 12 minutes beside other work): as predicted. After 10,000 steps out-of-distribution
accuracy is 0.09 to 0.39, mean 0.27, with layers that run twice, 6.4 [5.0, 7.6] times chance, and 0.02 to 0.08, mean
0.04, with layers that run once. In distribution both pass 0.9 by step 866 to 1,334. With five seeds the interval, 5.3
[2.9, 7.5], crossed the bar of 3; seeds were doubled once.
What was tried before (2026-11-21): width 128, 1,000 facts, ratio 14, 4,000 steps: 0.03 with two layers run twice.
"""

from study.catalog._wang2024 import tiny, tiny_graph
from study.spec import StudySpec

STUDY = StudySpec(
    question="Does running the same layers twice unlock systematic generalization in a small transformer?",
    base=tiny(tiny_graph(11.0, entities=24)),
    axes={"model.loops": (1, 2)},
    seeds=10,
    horizon=10_000,
    evaluations_per_decade=16,
    evaluation_examples=500,
    definition="wang2024",
)
