"""Settings shared by the studies of Wang et al. 2024 (arXiv 2405.15071): the paper's, and a small version for a CPU.

The paper's settings come from its appendix A and the published code's GPT-2 defaults (dropout 0.1, AdamW, betas 0.9 and
0.999, no decay of biases and gains, gradients clipped at norm 1, 2,000 steps of warm-up, batch 512). We train in
bfloat16 where they use float16, and do not predict the end mark that follows an answer.
"""

from typing import Any

from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import comparison, complex_comparison, composition

PROBES = ("logit_lens", "causal_tracing")


def paper(task: Any, *, weight_decay: float = 0.1, **model: Any) -> RunSpec:
    """A run at the paper's size."""
    optimizer = adamw.Optimizer(
        learning_rate=1e-4,
        weight_decay=weight_decay,
        beta2=0.999,
        warmup_steps=2000,
        clip_norm=1.0,
        decay_vectors=False,
    )
    return RunSpec(task=task, model=gpt2.Model(**model), optimizer=optimizer, batch_size=512, precision="bfloat16")


def small(task: Any, *, weight_decay: float = 0.3, **model: Any) -> RunSpec:
    """A run of seconds to minutes on one core: two layers, a higher learning rate and decay, larger initial weights."""
    optimizer = adamw.Optimizer(learning_rate=1e-3, weight_decay=weight_decay, decay_vectors=False)
    shape = {"layers": 2, "width": 128, "heads": 4, "dropout": 0.0, "init_scale": 3.0} | model
    return RunSpec(task=task, model=gpt2.Model(**shape), optimizer=optimizer, batch_size=128)


def small_graph(ratio: float) -> composition.Task:
    """1,000 facts about 50 entities, with the paper's out-degree, so that its ratios mean the same here."""
    return composition.Task(
        entities=50, relations=20, out_degree=20, ratio=ratio, ood_fraction=0.1, test_fraction=0.05, test_size=1000
    )


def small_population(ratio: float) -> comparison.Task:
    """400 facts: 100 entities with 4 attributes of 8 values."""
    return comparison.Task(entities=100, attributes=4, values=8, ratio=ratio, test_size=1000)


def small_search(share: float) -> complex_comparison.Task:
    """640 ID facts about 200 entities, with few comparisons, so that some questions stay hard."""
    return complex_comparison.Task(entities=200, attributes=4, values=8, share=share, ood_fraction=0.2, test_size=1000)
