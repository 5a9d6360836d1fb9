"""Do Adam's epsilon and the bits of the softmax decide about late spikes, at the size of the papers?

Thilak et al. 2022 (arXiv 2206.04817) take the transformer of Power et al. 2022 (arXiv 2201.02177): two layers, width
128, 4 heads, division modulo 97, half of the pairs, batches of 512, Adam with learning rate 1e-3 and without decay.
Prediction: spikes of the training loss come again and again with epsilon 1e-8 in 32 bits, and not with 1e-5.
Finding: open.
"""

import dataclasses

from study.catalog import slingshots
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    slingshots.STUDY,
    base=RunSpec(
        task=modular.Task(p=97, operation="div", train_fraction=0.5),
        model=transformer.Model(layers=2, width=128, heads=4, norm="layer"),
        optimizer=adamw.Optimizer(learning_rate=1e-3, warmup_steps=10),
        batch_size=512,
    ),
    horizon=100_000,
    evaluation_share=None,
)
