"""Mechanistic probes on one run's weights: the files of `trainables/probes` that define `examine`."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from trainables.circuit import Circuit
from trainables.layout import Layout
from trainables.observation import probe_of
from trainables.probes import Finding
from trainables.seeds import generator
from trainables.spec import RunSpec

COLUMNS = ("run_id", "step", "probe", *Finding._fields)
NUM_EXAMPLES = 300
"""Examples per probe, as in Wang et al. 2024."""


@torch.no_grad()
def examine(
    spec: RunSpec, weights_W: Tensor, names: Sequence[str], count: int = NUM_EXAMPLES
) -> dict[str, list[Finding]]:
    """What each probe finds in a run with these weights, on their device and in float32."""
    module = spec.model.build(spec.task, generator("init", 0)).to(weights_W.device)
    module.load_state_dict(Layout(module).named(weights_W))
    circuit = _circuit(spec.task, spec.data_seed, count).to(weights_W.device)
    if len(circuit.targets_N) == 0:  # a tiny task, where no replacement changes the answer
        return {}
    probes = {name: probe_of(name) for name in names}
    return {name: list(probe.examine(module, circuit)) for name, probe in probes.items() if hasattr(probe, "examine")}


def columns(run_id: str, step: int, found: Mapping[str, Sequence[Finding]]) -> dict[str, list[Any]]:
    """Findings by probe as equally long columns run_id, step, probe, layer, position, metric, value."""
    rows = [(run_id, step, probe, *finding) for probe, findings in found.items() for finding in findings]
    return {name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)}


@lru_cache(maxsize=64)
def _circuit(task: Any, data_seed: int, count: int) -> Circuit:
    if hasattr(task, "circuit"):
        return task.circuit(data_seed, count)
    train = task.build(data_seed)["train"]  # nothing is asked of them: for probes that want training examples alone
    return Circuit(train.inputs_NL[:count].clone(), train.targets_N[:count].clone(), (), {}, {})
