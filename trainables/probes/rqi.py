"""Representation quality index: the share of the task's parallelograms that the embedding has.

Source: Liu et al. 2022 (arXiv 2205.10343). The embedding is scaled to zero mean and unit variance in every dimension.
It has the parallelogram i + n = j + m if the mean square of E_i + E_n - E_j - E_m is below 0.01, the authors'
threshold.
"""

# P numbers, E dimensions, K parallelograms

from typing import Any

from torch import Tensor

THRESHOLD = 0.01


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`rqi` in [0, 1] for a task with parallelograms and a model with an embedding of its numbers; {} for others."""
    embedding_PE = params.get("embedding")
    if not hasattr(task, "parallelograms") or not len(task.parallelograms()) or embedding_PE is None:
        return {}
    if embedding_PE.ndim != 2 or len(embedding_PE) <= int(task.parallelograms().max()):
        return {}
    scaled_PE = (embedding_PE - embedding_PE.mean(0)) / embedding_PE.std(0).clamp(min=1e-12)
    i_KE, n_KE, j_KE, m_KE = (scaled_PE[index_K] for index_K in task.parallelograms().to(embedding_PE.device).T)
    return {"rqi": ((i_KE + n_KE - j_KE - m_KE).square().mean(1) < THRESHOLD).to(embedding_PE.dtype).mean()}
