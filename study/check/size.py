"""What a model says of its size, against its module: packs and guesses of time rest on it."""

# N examples

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from study.check.case import Case
from study.check.row import Skipped, require
from trainables.flops import FORWARD
from trainables.layout import Layout

NEAR = 0.03
"""Masks of a few bytes, and numbers of positions where a task has padding, are not counted."""
MEND = "Mend size(task), or leave it out: then a module is measured."


def size(case: Case) -> str:
    """Weights, kept activations and products are what the module has, keeps and does."""
    model, task, inputs_NL = case.model, case.task, case.inputs_NL
    if not hasattr(model, "size"):
        raise Skipped("the model does not say its size: it is measured")
    module, said = case.module(), model.size(task)
    odd = [f"{name} is {number!r}" for name, number in vars(said).items() if type(number) is not int]
    require(not odd, f"size(task): {', '.join(odd)}, not a whole number. {MEND}")
    params = Layout(module).num_params
    require(said.params == params, f"size(task) says {said.params} weights, the module has {params}. {MEND}")
    inputs = [inputs_NL, *([torch.tensor(7)] if getattr(model, "dropout", 0) > 0 else [])]
    kept = kept_bytes(module, *inputs) / 4 / len(inputs_NL)
    require(
        abs(said.floats - kept) <= NEAR * kept,
        f"size(task) says that an example keeps {said.floats} floats, the module keeps {kept:.0f}. {MEND}",
    )
    with FlopCounterMode(display=False) as counter:
        module(*inputs)
    products = counter.get_total_flops() / FORWARD / len(inputs_NL)
    # Attention over few tokens is sums, which the counter does not see.
    by_sums = 2 * task.num_tokens * model.width * task.num_tokens * model.layers * getattr(model, "loops", 1)
    most = products + (by_sums if task.num_tokens <= 8 and hasattr(model, "heads") else 0)
    require(
        products <= said.products <= most,
        f"size(task) says {said.products} products, the module does {products:.0f}. {MEND}",
    )
    return f"{params:,} weights, {said.floats:,} floats and {said.products:,} products for each example"


def kept_bytes(module: torch.nn.Module, *inputs: Any) -> int:
    """What a forward pass keeps for its backward pass, its inputs and the weights aside."""
    given = {tensor.untyped_storage()._cdata for tensor in (*module.parameters(), *inputs)}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = module(*inputs)
        result = logits.float().log_softmax(-1)
    assert result.requires_grad
    return sum(storage.nbytes() for key, storage in kept.items() if key not in given)
