"""How large a model is for a task: what packs are sized by, and what guesses of their time rest on.

Each model of the package says it in `size(task)`, from its fields alone: a plan asks for a hundred thousand runs, and
must not build their modules. The tests compare it with the module. A model that does not say it is built and measured.
"""

from dataclasses import dataclass
from typing import Any

from trainables.errors import SpecError, line_in
from trainables.parts import name_of


@dataclass(frozen=True)
class Size:
    """Numbers of one run."""

    params: int
    """Weights; `num_params` in the store."""
    floats: int
    """Activations that a forward pass keeps of one example for the backward pass, in floats of 4 bytes."""
    products: int
    """Multiplications, each with an addition, of one example's forward pass, of those that products of matrices do."""


def size_of(model: Any, task: Any) -> Size:
    """What the model says in `size(task)`; where it says nothing, what its module does with one example."""
    if hasattr(model, "size"):
        return model.size(task)
    shape = tuple(getattr(task, name, None) for name in ("vocab_size", "num_classes", "num_tokens", "num_answers"))
    if (model, shape) not in _measured:  # seeds and amounts of data do not matter to a model
        _measured[model, shape] = measured(model, task)
    return _measured[model, shape]


_measured: dict[tuple[Any, tuple[Any, ...]], Size] = {}


def measured(model: Any, task: Any) -> Size:
    """The size of a model by one forward pass of one training example; SpecError where that fails."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    kept, weights = list[int](), set[int]()

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.data_ptr() not in weights and tensor.is_floating_point():
            kept.append(tensor.numel())
        return tensor

    counter = FlopCounterMode(display=False)
    try:
        module = model.build(task, torch.Generator().manual_seed(0))
        weights |= {parameter.data_ptr() for parameter in module.parameters()}
        example = task.build(0)["train"].inputs_NL[:1]
        with counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = module(example)
    except Exception as error:  # of a user's own code
        where = line_in(error, [type(model).__module__, type(task).__module__])
        raise SpecError(
            f"model {name_of(model)!r} does not take an example of task {name_of(task)!r}: "
            f"{type(error).__name__}: {error}{where}. `study check` with the file of either says more."
        ) from error
    products = counter.get_total_flops() // 2  # it counts multiplications and additions
    return Size(sum(p.numel() for p in module.parameters()), sum(kept) + outputs.numel(), products)
