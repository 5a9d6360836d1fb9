"""Fourier concentration of the tables that are indexed by residues: how periodic each hidden unit is.

Source: the inverse participation ratio of Gromov 2023 (arXiv 2301.02679) and Doshi et al. 2023 (2310.13061, r = 2): for
a column w with Fourier amplitudes c_f over frequencies f = 1..(p-1)/2, IPR = sum c_f^4 / (sum c_f^2)^2, averaged over
columns and tables. 1 = every unit has one frequency; about 2 / (number of frequencies) for random weights. The constant
is left out. For products the residues are first put in the order of powers of a primitive root.
"""

from typing import Any

import torch
from torch import Tensor

ROWS_ARE_RESIDUES = ("embedding", "hidden")
COLUMNS_ARE_RESIDUES = ("unembedding",)


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`fourier_ipr` for a task modulo p with a Fourier order; {} for others."""
    order = task.fourier_order() if hasattr(task, "fourier_order") else None
    if order is None or len(order) < 3:
        return {}
    order = order.to(next(iter(params.values())).device)
    values = [concentration(table[order]).mean() for table in residue_tables(params, task.p)]
    return {"fourier_ipr": torch.stack(values).mean()}


def residue_tables(params: dict[str, Tensor], p: int) -> list[Tensor]:
    """Every (p, columns) table of the model: an input table may hold several, and a row for '='."""
    tables: list[Tensor] = []
    for name, weight in params.items():
        if name in ROWS_ARE_RESIDUES:
            tables += weight[: weight.shape[0] // p * p].split(p)
        elif name in COLUMNS_ARE_RESIDUES:
            tables.append(weight.T[:p])
    return tables


def concentration(table_PD: Tensor) -> Tensor:
    """Inverse participation ratio of each column over its nonzero frequencies, (D,)."""
    power_FD = torch.fft.rfft(table_PD, dim=0)[1:].abs().square()
    return power_FD.square().sum(0) / power_FD.sum(0).square().clamp(min=1e-30)
