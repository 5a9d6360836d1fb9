"""Fourier concentration of the weight tables indexed by residues: how periodic each hidden unit is.

Source: the inverse participation ratio of Gromov 2023 (arXiv 2301.02679) and Doshi et al. 2023 (2310.13061, r = 2). For
a column w with Fourier amplitudes c_f at the frequencies f = 1..(p-1)/2, IPR = sum c_f^4 / (sum c_f^2)^2, averaged over
columns and tables. It is 1 if every unit has a single frequency, and about 2 / (number of frequencies) for random
weights. The constant term is left out. For products the residues are first sorted as powers of a primitive root.
"""

from typing import Any

import torch
from torch import Tensor


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`fourier_ipr` for a task modulo p with a Fourier order and a model with tables of residues; {} for others."""
    order = task.fourier_order() if hasattr(task, "fourier_order") else None
    if order is None or len(order) < 3:
        return {}
    order = order.to(next(iter(params.values())).device)
    values = [concentration(table[order]).mean() for table in residue_tables(params, task.p)]
    return {"fourier_ipr": torch.stack(values).mean()} if values else {}


def residue_tables(params: dict[str, Tensor], p: int) -> list[Tensor]:
    """Every (p, columns) table of the model. An embedding has further rows, for '=' and the like; a hidden layer may
    hold several tables. What has another size is somebody's own model, and no table of residues.
    """
    tables: list[Tensor] = []
    for name, weight in params.items():
        if weight.ndim != 2:
            continue
        if name == "embedding" and p <= len(weight):
            tables.append(weight[:p])
        elif name == "hidden" and len(weight) % p == 0:
            tables += weight.split(p)
        elif name == "unembedding" and p <= weight.shape[1]:
            tables.append(weight.T[:p])
    return tables


def concentration(table_PD: Tensor) -> Tensor:
    """Inverse participation ratio of each column over its nonzero frequencies, (D,)."""
    power_FD = torch.fft.rfft(table_PD, dim=0)[1:].abs().square()
    return power_FD.square().sum(0) / power_FD.sum(0).square().clamp(min=1e-30)
