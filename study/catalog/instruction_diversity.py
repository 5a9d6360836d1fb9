"""How many rules must a small transformer train on before it follows a rule that it has not seen?

String rewriting as in Zhang et al. 2024 (arXiv 2402.10891), scaled down for two CPU cores: 8 letters, rules of two
letters on strings of six, two layers of width 32, and a constant number of training examples divided among more and
more rules.
Prediction: up to some number of rules a network follows only the rules of its training (`test` high, `ood` near 0);
from some number on it follows all. The number of rules decides, not the number of examples for each.
Finding (2026-11-21, 36 runs, 35 minutes on two very busy cores, about 7 of each core's time): as predicted. With 8192
examples, 32 rules give accuracy 0.01 on unseen rules and 0.99 on new strings of seen ones; on unseen rules 64 rules
give 0.04, 128 rules 0.44 to 0.89, 256 rules 0.93 and 1024 rules 0.93, from where on unseen rules are as good as seen
ones. With 2048 examples the rise is at 128 to 256 rules and ends at 0.69 with two examples of each of 1024 rules, where
new strings of seen rules are at 0.72, too.
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
