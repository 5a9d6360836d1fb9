"""How large a model is for a task: what packs are sized by, and what guesses of their time rest on.

Each model says it in `size(task)`, from its fields alone: a plan asks for a hundred thousand runs, and must not build
their modules. The tests compare it with the module.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Numbers of one run."""

    params: int
    """Weights; `num_params` in the store."""
    floats: int
    """Activations that a forward pass keeps of one example for the backward pass, in floats of 4 bytes."""
    products: int
    """Multiplications, each with an addition, of one example's forward pass, of those that products of matrices do."""
