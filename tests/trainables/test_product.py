"""Products of matrices with few columns."""

import pytest
import torch
from torch.func import grad, vmap

from trainables import product as product_module
from trainables.product import product


@pytest.mark.parametrize("columns", [1, 15, 16, 23, 40])
def test_a_compiled_product_has_the_same_values_and_gradients(columns: int, monkeypatch: pytest.MonkeyPatch):
    draw = torch.Generator().manual_seed(columns)
    x_RND = torch.randn(3, 7, 20, generator=draw)
    weight_RDC = torch.randn(3, 20, columns, generator=draw)
    upstream_NC = torch.randn(7, columns, generator=draw)

    def scalar(weight_DC: torch.Tensor, x_ND: torch.Tensor) -> torch.Tensor:
        return (product(x_ND, weight_DC) * upstream_NC).sum()

    def results() -> list[torch.Tensor]:
        gradients = vmap(grad(scalar, argnums=(0, 1)))(weight_RDC, x_RND)
        return [vmap(product)(x_RND, weight_RDC), *gradients]

    plain, padded = results(), []
    pads = product_module.F.pad
    monkeypatch.setattr(product_module.F, "pad", lambda *args: padded.append(args[1]) or pads(*args))
    monkeypatch.setattr(product_module.torch.compiler, "is_compiling", lambda: True)
    filled = results()
    more = -columns % 16
    assert {*padded} == ({(0, more), (0, -more)} if columns in (1, 15, 23) else set())
    for one, other in zip(plain, filled, strict=True):
        torch.testing.assert_close(one, other)
