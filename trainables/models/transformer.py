"""Decoder-only transformer without biases. The module is one run; the engine packs runs.

Sources: Power et al. 2022 (arXiv 2201.02177) and Nanda et al. 2023 (2301.05217): one layer, width 128, 4 heads, ReLU,
no normalisation, learned positions, untied output. The last layer computes only the positions at which answers are
read, for most tasks the last one.
"""

# N examples, L tokens, Q positions that are computed, D width, H heads, K head width, U hidden units, C classes
# T answers

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainables.answers import num_answers, reads_vectors
from trainables.attention import attend, attention_size, hidden_positions, position_numbers
from trainables.components import closest
from trainables.errors import SpecError
from trainables.experts import BLOCK, Router, by_expert, check_experts, computed_where_chosen, fill_blocks, routed
from trainables.lookup import lookup
from trainables.product import product
from trainables.size import Size
from trainables.spec import at_least, coerce

NORMS = ("none", "rms", "layer")


@dataclass(frozen=True, kw_only=True)
class Model:
    """`layers` blocks of causal attention with `heads` heads and a ReLU MLP with `mlp_ratio * width` hidden units."""

    layers: int = 1
    width: int = 128
    heads: int = 4
    mlp_ratio: float = 4.0
    norm: str = "none"
    """Normalisation before attention, before the MLP and before the output: `none`, `rms` or `layer`."""
    init_scale: float = field(default=1.0, metadata={"absent": 1.0, "per_run": True})
    """Factor on the initial standard deviation of all weights: the axis of Omnigrok (Liu et al. 2022, 2210.01117)."""
    split_mlp: bool = field(default=False, metadata={"absent": False})
    """True uses one half of each MLP's hidden units for pairs to memorize and the other half for additions: the hard
    router of Huang et al. 2024 (arXiv 2402.15175), which reads an example's operator; for task `emergence`."""
    experts: int = field(default=0, metadata={"absent": 0})
    """Number of experts, equal parts of each MLP's hidden units among which a router chooses (trainables/experts.py);
    0 = no router. To make each of K experts as large as a usual MLP, set `mlp_ratio` to 4 K."""
    experts_per_token: int = field(default=2, metadata={"absent": 2})
    """Experts that each token uses."""

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, layers=1, width=1, heads=1)
        if self.width % self.heads:
            raise SpecError(
                f"transformer.heads must divide transformer.width, got heads={self.heads}, width={self.width}."
            )
        if self.num_units < 1:
            raise SpecError(f"transformer.mlp_ratio must leave at least one hidden unit, got {self.mlp_ratio}.")
        if self.norm not in NORMS:
            raise SpecError(f"transformer.norm {self.norm!r} is not known. {closest(self.norm, list(NORMS))}")
        if self.init_scale <= 0:
            raise SpecError(f"transformer.init_scale must be larger than 0, got {self.init_scale}.")
        check_experts(self, self.num_units)

    def check(self, task: Any) -> None:
        """SpecError if the MLP is split for a task without pairs to memorize; every other task works."""
        if self.split_mlp and not hasattr(task, "memorize_token"):
            raise SpecError(f"transformer.split_mlp needs task 'emergence', got {task!r}. Set it to False.")

    def size(self, task: Any) -> Size:
        """Weights, kept activations and products; see trainables/size.py."""
        width, units, tokens, read = self.width, self.num_units, task.num_tokens, num_answers(task)
        block = 4 * width**2 + 2 * width * units + width * self.experts + (2 * width if self.norm != "none" else 0)
        tables = width * (task.vocab_size + tokens + task.num_classes) + (width if self.norm != "none" else 0)
        floats, products = read * (self._normed + task.num_classes), read * width * task.num_classes
        if reads_vectors(task):
            products += tokens * task.vocab_size * width
        for asking, depth in ((tokens, self.layers - 1), (read, 1)):  # the last block computes what is read
            kept, done = self._block(tokens, asking)
            floats, products = floats + depth * kept, products + depth * done
        return Size(self.layers * block + tables, floats, products)

    def _block(self, tokens: int, asking: int) -> tuple[int, int]:
        """Floats that a block keeps of one example, and its products, where `asking` of the tokens go on."""
        width, units = self.width, self.num_units
        floats, products = attention_size(width, self.heads, tokens, asking)
        if self.where_chosen:
            units = units * self.experts_per_token // self.experts
            # Copies of the token, what goes into the sum, and copies of weights for blocks that may be half empty.
            floats += asking * (2 * self.experts_per_token * width + units + 4 * width * units // BLOCK)
        floats += (tokens + asking) * self._normed + asking * (width + units)
        floats += asking * width if 1 < asking < tokens else 0  # a copy of them
        if self.split_mlp:
            floats += asking * units + units // 4
        if self.experts:
            floats += asking * (units + 3 * self.experts + 2 * self.experts_per_token)
        return floats, products + asking * width * (2 * units + self.experts)

    @property
    def _normed(self) -> int:
        """Floats that a normalisation keeps of one token."""
        return self.width if self.norm == "none" else 3 * self.width + 1

    @property
    def where_chosen(self) -> bool:
        """Whether experts are computed for the tokens alone that have chosen them."""
        return computed_where_chosen(self.width, self.num_units, self.experts, self.experts_per_token)

    @property
    def num_units(self) -> int:
        """Hidden units of each MLP."""
        return round(self.mlp_ratio * self.width)

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run, weights drawn from `draw`: N(0, 1/fan_in); embedding and positions N(0, 1/width); times
        the scale."""
        module = Transformer(self, task, draw)
        if self.init_scale != 1:
            for name, weight in module.named_parameters():
                if not name.endswith("gain"):  # of a norm
                    weight.data.mul_(self.init_scale)
        return module


class Transformer(nn.Module):
    """Maps tokens (N, L) or vectors (N, L, V) to logits: (N, C), or (N, T, C) for T > 1 answers."""

    def __init__(self, model: Model, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        width = model.width
        self.pad, self.num_answers = getattr(task, "pad", None), num_answers(task)
        self.memorize_token = task.memorize_token if model.split_mlp else None
        self.embedding = gaussian(task.vocab_size, width, width, draw)
        self.positions = gaussian(task.num_tokens, width, width, draw)
        self.blocks = nn.ModuleList(Block(model, draw) for _ in range(model.layers))
        self.depth = model.layers
        self.norm = Norm(model.norm, width)
        self.unembedding = gaussian(width, task.num_classes, width, draw)

    def forward(self, tokens_NL: Tensor) -> Tensor:
        x_NLD = self.embed(tokens_NL)
        for layer in range(1, self.depth):
            x_NLD = self.layer(layer, x_NLD, tokens_NL)
        hidden_NQL = hidden_positions(tokens_NL, self.pad, self.num_answers)
        x_NQD = self.blocks[-1](x_NLD, self.num_answers, hidden_NQL, self.memorizing(tokens_NL))
        return self.read(x_NQD[:, 0] if self.num_answers == 1 else x_NQD)

    def embed(self, tokens_NL: Tensor) -> Tensor:
        """The residual stream before the first block, S[0], (N, L, D)."""
        at = self.positions if self.pad is None else lookup(self.positions, position_numbers(tokens_NL, self.pad))
        return lookup(self.embedding, tokens_NL) + at

    def layer(self, layer: int, x_NLD: Tensor, tokens_NL: Tensor) -> Tensor:
        """S[layer] from S[layer - 1] at all positions, (N, L, D); layers count from 1."""
        length = tokens_NL.shape[1]
        hidden_NQL = hidden_positions(tokens_NL, self.pad, length)
        return self.blocks[layer - 1](x_NLD, length, hidden_NQL, self.memorizing(tokens_NL))

    def memorizing(self, tokens_NL: Tensor) -> Tensor | None:
        """True for examples that use the memorizing half of a split MLP, (N,); None if the MLP is not split."""
        return None if self.memorize_token is None else tokens_NL[:, -1] == self.memorize_token

    def read(self, x_D: Tensor) -> Tensor:
        """Logits of any state of the residual stream."""
        return project(self.norm(x_D), self.unembedding)


class Block(nn.Module):
    """Maps the residual stream (N, L, D) to its next state at the last Q positions, (N, Q, D)."""

    def __init__(self, model: Model, draw: torch.Generator) -> None:
        super().__init__()
        width, hidden = model.width, model.num_units
        self.heads = model.heads
        self.attention_norm = Norm(model.norm, width)
        self.query = gaussian(width, width, width, draw)
        self.key = gaussian(width, width, width, draw)
        self.value = gaussian(width, width, width, draw)
        self.output = gaussian(width, width, width, draw)
        self.mlp_norm = Norm(model.norm, width)
        self.mlp_in = gaussian(width, hidden, width, draw)
        self.mlp_out = gaussian(hidden, width, hidden, draw)
        self.router = Router(gaussian(width, model.experts, width, draw)) if model.experts else None
        self.experts_per_token, self.where_chosen = model.experts_per_token, model.where_chosen

    def forward(
        self, x_NLD: Tensor, queries: int, hidden_NQL: Tensor | None, memorizing_N: Tensor | None = None
    ) -> Tensor:
        normed_NLD = self.attention_norm(x_NLD)
        x_NQD = x_NLD[:, -queries:] + self.mix(normed_NLD[:, -queries:], normed_NLD, hidden_NQL)
        mlp_NQD = self.mlp_norm(x_NQD)
        if self.router is not None and self.where_chosen:
            share_NQK, chosen = self.router(mlp_NQD), self.experts_per_token
            if fill_blocks(len(mlp_NQD) * queries, share_NQK.shape[-1], chosen):
                return x_NQD + by_expert(mlp_NQD, self.mlp_in, self.mlp_out, share_NQK, chosen)
        units_NQU = F.relu(project(mlp_NQD, self.mlp_in))
        if self.router is not None:
            units_NQU = routed(units_NQU, self.router(mlp_NQD), self.experts_per_token)
        if memorizing_N is not None:
            num_units = units_NQU.shape[-1]
            first_half_U = torch.arange(num_units, device=x_NLD.device) < num_units // 2
            units_NQU = units_NQU * (first_half_U == memorizing_N[:, None, None])
        return x_NQD + project(units_NQU, self.mlp_out)

    def mix(self, asking_NQD: Tensor, x_NLD: Tensor, hidden_NQL: Tensor | None) -> Tensor:
        """What attention adds at the last Q of L positions, (N, Q, D)."""
        asked = ((asking_NQD, self.query), (x_NLD, self.key), (x_NLD, self.value))
        q, k, v = (project(x, weight).unflatten(-1, (self.heads, -1)) for x, weight in asked)
        return project(attend(q, k, v, hidden_NQL).flatten(-2), self.output)


class Norm(nn.Module):
    """Root-mean-square or layer normalisation with a learned gain; `none` returns its input."""

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.kind = kind
        if kind != "none":
            self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x_D: Tensor) -> Tensor:
        if self.kind == "none":
            return x_D
        if self.kind == "layer":
            x_D = x_D - x_D.mean(-1, keepdim=True)
        return x_D * torch.rsqrt(x_D.square().mean(-1, keepdim=True) + 1e-5) * self.gain


def project(x_NLD: Tensor, weight_DE: Tensor) -> Tensor:
    """`x @ weight` as a single matrix product; a batched one would copy the weights for each example."""
    return product(x_NLD.flatten(0, -2), weight_DE).unflatten(0, x_NLD.shape[:-1])


def gaussian(rows: int, columns: int, fan_in: int, draw: torch.Generator) -> nn.Parameter:
    """A (rows, columns) parameter whose entries are drawn from N(0, 1/fan_in)."""
    return nn.Parameter(torch.randn(rows, columns, generator=draw) / fan_in**0.5)
