"""Settings shared by the studies of Wang et al. 2024 (arXiv 2405.15071): the paper's, and two versions for a CPU.

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
    return RunSpec(
        task=task,
        model=gpt2.Model(**model),
        optimizer=optimizer,
        batch_size=512,
        batch_order="hashed",
        precision="bfloat16",
    )


def small(task: Any, *, weight_decay: float = 0.3, **model: Any) -> RunSpec:
    """A run of seconds to minutes on one core: two layers, a higher learning rate and decay, larger initial weights."""
    optimizer = adamw.Optimizer(learning_rate=1e-3, weight_decay=weight_decay, decay_vectors=False)
    shape = {"layers": 2, "width": 128, "heads": 4, "dropout": 0.0, "init_scale": 3.0} | model
    return RunSpec(task=task, model=gpt2.Model(**shape), optimizer=optimizer, batch_size=128)


def tiny(task: Any, *, weight_decay: float = 0.3, **model: Any) -> RunSpec:
    """A run of seconds, of which a study can have hundreds: a quarter of the weights and twice the learning rate of
    `small`. It learns the same things in a third of the steps."""
    spec = small(task, weight_decay=weight_decay, **{"width": 64} | model)
    return spec.with_values({"optimizer.learning_rate": 2e-3})


def tiny_graph(ratio: float, entities: int = 16) -> composition.Task:
    """224 facts about 16 entities, each of which has every relation once.

    With 10 relations and an out-degree of 10 (ratios up to 8), only ratio 8 generalizes within 2,000 steps; here the
    change lies between 5 and 11. 8% of the chains are held out, 110 to 220 examples.
    """
    return composition.Task(
        entities=entities,
        relations=14,
        out_degree=14,
        ratio=ratio,
        ood_fraction=0.1,
        test_fraction=0.08,
        test_size=1000,
    )


def small_graph(ratio: float) -> composition.Task:
    """1,000 facts about 50 entities, with the paper's out-degree, so that its ratios mean the same here."""
    return composition.Task(
        entities=50, relations=20, out_degree=20, ratio=ratio, ood_fraction=0.1, test_fraction=0.05, test_size=1000
    )


def small_population(ratio: float) -> comparison.Task:
    """400 facts: one attribute of 400 entities, with 8 values. With 100 entities and 4 attributes, comparisons of new
    facts end at 0.7; with 60 and 10 they are only memorized: there are too few entities for each attribute."""
    return comparison.Task(entities=400, attributes=1, values=8, ratio=ratio, test_size=1000)


def small_search(share: float) -> complex_comparison.Task:
    """640 ID facts about 200 entities, with few comparisons, so that some questions stay hard."""
    return complex_comparison.Task(entities=200, attributes=4, values=8, share=share, ood_fraction=0.2, test_size=1000)
