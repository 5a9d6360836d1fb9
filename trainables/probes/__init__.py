"""Order parameters read off a run's weights, one file each.

A probe is `measure(params, task) -> {metric: 0-d tensor}` for ONE run; the engine maps it over the runs of a pack and
records it at every evaluation under the split `model`. A probe that says nothing about a task returns {}.
"""
