"""Do two denoisers of larger images become the same function, towards the size of Kadkhodaie et al. 2024 (2310.02557)?

The paper's images are 1 to 100,000 faces of 80 x 80 pixels and its networks are convolutional; here they are disks of
32 x 32 pixels and residual MLPs. Needs a GPU.
Prediction: twins agree from a number of images on that is far too small to fill the space.
Finding: open.
"""

import dataclasses

from study.catalog import denoising_twins
from trainables.models import transformer
from trainables.tasks import denoising

STUDY = dataclasses.replace(
    denoising_twins.STUDY,
    base=dataclasses.replace(
        denoising_twins.STUDY.base,
        task=denoising.Task(side=32, noise=0.2, data_size=131_072),
        model=transformer.Model(layers=4, width=512, heads=8, norm="rms"),
        batch_size=512,
        batch_order="hashed",
    ),
    axes={"task.num_images": (1, 10, 100, 1000, 10_000, 100_000)},
    seeds=5,
    horizon=200_000,
)
