"""The 8x8 images of handwritten digits that ship with scikit-learn, 1,797 of them, to classify.

Liu et al. 2022 (Omnigrok, arXiv 2210.01117) train on 1,000 of the 60,000 images of MNIST; with few examples there is
something to memorize. `train` and `test` are disjoint; there is no out-of-distribution split.
"""

# N examples, L = 1, P pixels

from dataclasses import dataclass, field

import torch

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce
from trainables.tasks.in_context_classification import digits

NUM_IMAGES = 1797


@dataclass(frozen=True, kw_only=True)
class Task:
    """`data_size` images to train on, and `test_size` others."""

    data_size: int = field(default=200, metadata={"per_run": True})
    test_size: int = 797

    pad = None
    label_corruption = 0.0
    reads_vectors = True
    num_tokens = 1
    vocab_size = 64
    num_classes = 10
    chance_accuracy = 183 / NUM_IMAGES  # of the commonest, 3
    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + self.test_size)

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, data_size=1, test_size=1)
        if self.num_examples > NUM_IMAGES:
            raise SpecError(f"digits has {NUM_IMAGES} images; data_size and test_size are {self.num_examples}.")

    def build(self, seed: int) -> dict[str, Split]:
        """`train` and `test`; all pixels have mean 0 and variance 1. Same seed, same data, on every machine."""
        images_NP, labels_N = digits(self.num_classes)
        order_N = torch.randperm(NUM_IMAGES, generator=generator("digits", seed))
        images_NLP = ((images_NP - images_NP.mean()) / images_NP.std())[order_N, None]
        parts = {"train": slice(None, self.data_size), "test": slice(NUM_IMAGES - self.test_size, None)}
        return {name: Split(images_NLP[part], labels_N[order_N][part]) for name, part in parts.items()}
