"""A model: drawn from its seed alone, the same for an example whatever stands beside it, and the same in a pack."""

# R runs, N examples, L tokens, W weights

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from study.check.case import Case, apart, same
from study.check.row import Check, Skipped, Wrong, outcome, require
from study.check.size import size
from trainables.answers import num_answers
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.step import example_losses

RUNS = 3


def checks(case: Case) -> Iterator[Check]:
    """All checks of a module by itself; when it builds nothing, no others follow."""
    first = outcome("build", built, case)
    yield first
    for name, check in CHECKS.items() if first.ok else ():
        yield outcome(name, check, case)


def built(case: Case) -> str:
    """The model accepts the task, and builds a module with weights for it."""
    try:
        if hasattr(case.model, "check"):
            case.model.check(case.task)
    except SpecError as refused:
        raise Skipped(f"the model refuses this task ({refused}) Put a Task that it reads into the file.") from None
    module = case.module()
    require(isinstance(module, torch.nn.Module), f"build gives {type(module).__name__}: give a torch.nn.Module.")
    require(list(module.parameters()), "the module has no parameters: make its weights torch.nn.Parameter.")
    buffers = [name for name, _ in module.named_buffers()]
    require(
        not buffers,
        f"the module has the buffer {', '.join(buffers)}, which runs of a pack would share: make it in forward, or a "
        "parameter if it is trained. BatchNorm keeps such; LayerNorm does not.",
    )
    return f"{Layout(module).num_params:,} weights"


def seeds(case: Case) -> str:
    """Weights follow from `draw`, and from nothing else."""
    torch.manual_seed(1)
    first = case.module(seed=3).state_dict()
    torch.manual_seed(2)
    again, other = case.module(seed=3).state_dict(), case.module(seed=4).state_dict()
    for key in first:
        require(
            first[key].equal(again[key]),
            f"weights {key} differ for the same draw: give `generator=draw` to every random call; what layers of "
            "torch.nn draw by themselves, draw again, as in torch.nn.init.normal_(self.out.weight, 0, 0.1, draw).",
        )
    require(
        any(not first[key].equal(other[key]) for key in first),
        "weights are the same for every draw: draw them from it.",
    )
    return "weights follow the draw"


def logits(case: Case) -> str:
    """One row of finite float32 numbers for each example and answer, also for one example alone."""
    module = case.module()
    for inputs_NL in (case.inputs_NL, case.inputs_NL[:1]):
        try:
            out = module(inputs_NL)
        except (IndexError, RuntimeError) as error:
            error.args = (f"{error} (inputs are {tuple(inputs_NL.shape)}, {inputs_NL.dtype})",)
            raise
        known = case.shapes(len(inputs_NL))
        require(
            tuple(out.shape) in known,
            f"logits of {len(inputs_NL)} examples have shape {tuple(out.shape)}, not {known[0]}: one row for each "
            "example, which is read from its last positions.",
        )
        require(out.dtype == torch.float32, f"logits are {out.dtype}, not float32.")
        require(out.isfinite().all(), "logits are not finite at initialisation: draw smaller weights.")
    return f"{tuple(out.shape)[1:]} for each example"


def apart_from_others(case: Case) -> str:
    """An example's logits do not depend on the examples beside it."""
    module, some = case.module(), slice(3, 5) if len(case.inputs_NL) > 4 else slice(0, 1)
    among, alone = module(case.inputs_NL)[some], module(case.inputs_NL[some])
    require(
        same(among, alone, rtol=1e-4, atol=1e-5),
        f"logits of an example change by {apart(among, alone):.2g} with the examples beside it: no batch statistics "
        "(BatchNorm) and no random numbers; norms within an example are fine.",
    )
    return "an example stands for itself"


def nothing_kept(case: Case) -> str:
    """Calling the module changes nothing, neither in it nor in torch's random state."""
    module, random = case.module(), torch.get_rng_state()
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    first = module(case.inputs_NL)
    require(
        torch.get_rng_state().equal(random),
        "forward draws from torch's global random state, so a run depends on its neighbours: draw in build from "
        "`draw`; for dropout see trainables/dropout.py.",
    )
    again = module(case.inputs_NL)
    require(
        same(first, again, rtol=0, atol=0), f"the same inputs give logits that differ by {apart(first, again):.2g}."
    )
    changed = [name for name, weight in module.state_dict().items() if not weight.equal(before[name])]
    require(
        not changed,
        f"forward changes {', '.join(changed)}: state of a module is its parameters, which training changes.",
    )
    return "the same inputs give the same logits"


def answers_ahead(case: Case) -> str:
    """Of several answers none depends on later tokens, which hold it."""
    if num_answers(case.task) == 1:
        return "one answer"
    module, changed_NL = case.module(), case.inputs_NL.clone()
    changed_NL[:, -1] = changed_NL[:, -1].roll(1, 0)
    before, after = module(case.inputs_NL)[:, :-1], module(changed_NL)[:, :-1]
    require(
        same(before, after, rtol=1e-4, atol=1e-5),
        f"answers before the last token change by {apart(before, after):.2g} with it: hide later tokens "
        "(a causal mask).",
    )
    return "no answer looks ahead"


def gradients(case: Case) -> str:
    """Every parameter is reached by the loss."""
    module, (inputs_NL, targets_N) = case.module(), case.examples
    example_losses(module(inputs_NL), targets_N, case.loss_name).mean().backward()
    weights = dict(module.named_parameters())
    without = [name for name, weight in weights.items() if weight.grad is None or not weight.grad.any()]
    require(not without, f"no gradient reaches {', '.join(without)}: use it in forward, or leave it out.")
    odd = [name for name, weight in weights.items() if weight.grad is not None and not weight.grad.isfinite().all()]
    require(not odd, f"the gradient of {', '.join(odd)} is not finite.")
    return f"reach all {len(weights)} parameters"


def side_by_side(case: Case) -> str:
    """Losses and gradients of runs under `torch.func.vmap` are those of each alone."""
    modules = [case.module(seed) for seed in range(RUNS)]
    layout, data = Layout(modules[0]), [case.data(seed) for seed in range(RUNS)]
    count = min(len(split.targets_N) for split in data)
    data = [tuple(tensor[:count] for tensor in split) for split in data]

    def run_loss(vector_W: Tensor, inputs_NL: Tensor, targets_N: Tensor) -> Tensor:
        out = functional_call(modules[0], layout.named(vector_W), (inputs_NL,))
        return example_losses(out, targets_N, case.loss_name).mean()

    weights_RW = torch.stack([layout.flatten(module) for module in modules])
    stacked = [torch.stack(parts) for parts in zip(*data, strict=True)]
    losses_R, grads_RW = vmap(run_loss)(weights_RW, *stacked), vmap(grad(run_loss))(weights_RW, *stacked)
    for run, (module, (inputs_NL, targets_N)) in enumerate(zip(modules, data, strict=True)):
        loss = example_losses(module(inputs_NL), targets_N, case.loss_name).mean()
        loss.backward()
        require(
            same(losses_R[run], loss.detach(), rtol=1e-5, atol=1e-6),
            f"the loss of run {run} is {float(losses_R[run]):.6g} in a pack and {float(loss):.6g} alone: use nothing "
            "but parameters and inputs in forward.",
        )
        for name, gradient in layout.named(grads_RW[run]).items():
            alone = module.get_parameter(name).grad
            if alone is not None and not same(gradient, alone, rtol=1e-3, atol=1e-5):
                raise Wrong(f"the gradient of {name} in a pack is {apart(gradient, alone):.2g} from that alone.")
    return f"{RUNS} runs under vmap are those alone"


CHECKS = {
    "seeds": seeds,
    "logits": logits,
    "examples apart": apart_from_others,
    "forward": nothing_kept,
    "answers": answers_ahead,
    "gradients": gradients,
    "vmap": side_by_side,
    "size": size,
}
