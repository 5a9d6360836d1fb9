"""A probe: numbers of one run that are finite, and the same when the engine asks a whole pack at once."""

# R runs, W weights

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.func import vmap

from study.check.case import apart, same
from study.check.row import Check, Skipped, Wrong, outcome, require
from trainables.components import modules_of
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.models import gpt2, mlp, transformer
from trainables.observation import PROBES
from trainables.probes import Finding
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import composition, modular

MODELS = (mlp.Model(width=8), transformer.Model(layers=2, width=8, heads=2, norm="rms"))
TASKS = tuple(
    modular.Task(p=p, operation=o) for p, o in ((11, "add"), (11, "div"), (12, "mul"), (12, "add"), (2, "add"))
)
CIRCUIT = composition.Task(entities=8, relations=3, out_degree=3, ratio=1.0, ood_fraction=0.25, test_fraction=0.1)
LAYERED = (transformer.Model(layers=2, width=8, heads=2), gpt2.Model(layers=2, width=8, heads=2))


def checks(probe: Any, runs: Sequence[tuple[Any, Any]] = ()) -> Iterator[Check]:
    """All checks of a module with `measure` or `examine`, on models and tasks of ours and on `runs`: (model, task)."""
    if hasattr(probe, "measure"):
        pairs = [*((model, task) for task in TASKS for model in MODELS), *runs]
        yield outcome("numbers", _each, finite, probe, pairs)
        yield outcome("runs of a pack", _each, one_by_one, probe, pairs)
        yield outcome("names", own_names, probe, pairs)
    if hasattr(probe, "examine"):
        yield outcome("findings", findings, probe)


def _each(check: Any, probe: Any, pairs: Sequence[tuple[Any, Any]]) -> str:
    said = [check(probe, model, task) for model, task in pairs]
    return next(filter(None, reversed(said)), "{} for every task tried: nothing is measured")


def finite(probe: Any, model: Any, task: Any) -> str:
    """`measure` gives finite numbers of one run, or nothing for a task that it does not apply to."""
    values = probe.measure(dict(model.build(task, generator("init", 0)).named_parameters()), task)
    require(isinstance(values, dict), f"measure gives {type(values).__name__}: give a dictionary of metrics.")
    for name, value in values.items():
        require(isinstance(name, str), f"the metric {name!r} has no text for its name.")
        require(
            isinstance(value, torch.Tensor) and value.ndim == 0,
            f"{name} is {_kind(value)}: give a tensor of no dimensions, as sum() and mean() are.",
        )
        require(value.isfinite(), f"{name} is {float(value)} of a model at its start.")
    return ", ".join(values)


def one_by_one(probe: Any, model: Any, task: Any) -> str:
    """`measure` of runs under vmap is that of each."""
    modules = [model.build(task, generator("init", seed)) for seed in range(3)]
    layout = Layout(modules[0])
    weights_RW = torch.stack([layout.flatten(module) for module in modules])
    packed = vmap(lambda vector_W: probe.measure(layout.named(vector_W), task))(weights_RW)
    for run, module in enumerate(modules):
        alone = probe.measure(dict(module.named_parameters()), task)
        require(
            alone.keys() == packed.keys(), f"metrics are {', '.join(alone)} alone and {', '.join(packed)} in a pack."
        )
        for metric, value in alone.items():
            beside, value = packed[metric][run], value.detach()
            if not same(beside, value, rtol=1.3e-6, atol=1e-5):
                raise Wrong(
                    f"{metric} of run {run} is {apart(beside, value):.2g} from that alone: sum over its own weights."
                )
    return "3 runs under vmap are those alone" if packed else ""


def own_names(probe: Any, pairs: Sequence[tuple[Any, Any]]) -> str:
    """Its metrics are none that another probe records."""
    for model, task in pairs:
        params = dict(model.build(task, generator("init", 0)).named_parameters())
        mine = set(probe.measure(params, task))
        for other in modules_of(PROBES):
            if other is not probe and hasattr(other, "measure"):
                shared = sorted(mine & set(other.measure(params, task)))
                require(not shared, f"{', '.join(shared)} is a metric of {other.__name__}, too: give it another name.")
    return "its own"


def findings(probe: Any) -> str:
    """`examine` gives findings at layers and positions of a model."""
    said = []
    for model in LAYERED:
        if hasattr(probe, "check"):
            try:
                probe.check(_run(model))
            except SpecError as refused:
                raise Skipped(f"the probe asks for something else than we try it on ({refused})") from None
        module = model.build(CIRCUIT, generator("init", 0))
        with torch.no_grad():
            found = list(probe.examine(module, CIRCUIT.circuit(0, 50)))
        for finding in found:
            if not isinstance(finding, tuple) or len(finding) != len(Finding._fields):
                raise Wrong(f"examine gives {finding!r}: give Finding(layer, position, metric, value).")
            layer, position, metric, value = finding
            require(
                isinstance(layer, int) and isinstance(position, str) and isinstance(metric, str),
                f"examine gives {tuple(finding)!r}: a layer is a whole number, position and metric are text.",
            )
            require(isinstance(value, float | int), f"{metric} is {_kind(value)}: give float(value).")
        said.append(len(found))
    return f"{said[0]} findings in a transformer, {said[1]} in gpt2"


def _run(model: Any) -> RunSpec:
    from trainables.optimizers import adamw

    return RunSpec(task=CIRCUIT, model=model, optimizer=adamw.Optimizer())


def _kind(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else f"{type(value).__name__}"
