"""Order parameters read off a run, one file each, in two kinds.

A cheap probe is `measure(params, task) -> {metric: 0-d tensor}` for ONE run; the engine maps it over the runs of a pack
and records it at every evaluation under the split `model`. One that says nothing about a task returns {}.

A mechanistic probe is `examine(module, circuit) -> findings` for ONE run and a task with a `circuit`; it is run where a
study asks for it (`StudySpec.probes`), or afterwards on saved states (`study probe`). One that needs something else
says so in `check(spec)`; of a task without a circuit it is given training examples about which nothing is asked.
"""

from typing import NamedTuple


class Finding(NamedTuple):
    """One value at one place of a model: layers count from 0 (the embedding), positions have the circuit's names."""

    layer: int
    position: str
    metric: str
    value: float
