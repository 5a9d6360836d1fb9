"""Order parameters of a run, one file each, in two kinds.

A cheap probe is `measure(params, task) -> {metric: 0-d tensor}` for ONE run. The engine maps it over the runs of a pack
and records it at every evaluation under the split `model`. It returns {} for a task that it does not apply to.

A mechanistic probe is `examine(module, circuit) -> findings` for ONE run of a task with a `circuit`. It runs while
training if the study lists it (`StudySpec.probes`), or afterwards on kept states (`study probe`). A probe with other
needs defines `check(spec)`, which raises SpecError; it then also serves tasks without a circuit, and gets their
training examples in a circuit with nothing to look for or to replace.
"""

from typing import NamedTuple


class Finding(NamedTuple):
    """One value at one place of a model. Layers count from 0, the embedding; positions have the circuit's names."""

    layer: int
    position: str
    metric: str
    value: float
