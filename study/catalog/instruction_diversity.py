"""How many rules must a small transformer train on before it follows a rule that it has not seen?

String rewriting as in Zhang et al. 2024 (arXiv 2402.10891), scaled down for two CPU cores: 8 letters, rules of two
letters on strings of six, two layers of width 32, and a constant number of training examples divided among more and
more rules.
Prediction: up to some number of rules a network follows only the rules of its training (`test` high, `ood` near 0);
from some number on it follows all. The number of rules decides, not the number of examples for each.
Finding (2026-11-30, 80 runs, 17 minutes beside other work): as predicted. With 9,216 examples accuracy on unseen rules
is 0.01, 0.03, 0.18, 0.58, 0.75, 0.95, 0.95 and 0.98 with 32, 48, 64, 96, 128, 192, 256 and 1,024 rules, and on new
strings of seen rules 0.96 and more. With four times the examples it is within 0.08 of that: the number of rules
decides. From the number at which one run of ten follows unseen rules to that at which nine do, it is a factor of 2.5
[1.7, 3.2].
What was tried before: 2,048 and 8,192 examples and fewer steps (2026-11-21, 36 runs), where seen rules stayed at 0.72
with the fewest examples; and these settings from 64 rules on (60 runs, 12 minutes), which was too many: of five seeds
one or two followed unseen rules there, so that the transition had no beginning.
"""

from study.spec import StudySpec
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import rewrite

STUDY = StudySpec(
    question="How many rules must a small transformer train on before it follows a rule that it has not seen?",
    base=RunSpec(
        task=rewrite.Task(letters=8, rule_length=2, length=6, rules=1024, data_size=9216, test_size=256),
        model=transformer.Model(layers=2, width=32, heads=4, norm="rms"),
        optimizer=adamw.Optimizer(learning_rate=3e-3, weight_decay=0.1, warmup_steps=50),
        batch_size=64,
    ),
    axes={"task.rules": (32, 48, 64, 96, 128, 192, 256, 1024), "task.data_size": (9216, 36_864)},
    seeds=5,
    horizon=6000,
    evaluations_per_decade=16,
    evaluation_examples=256,
    definition="wang2024",
)
