"""GPT-2 at any size, the model of the papers on reasoning. The module is one run; the engine packs runs.

Sources: Radford et al. 2019 and Wang et al. 2024 (arXiv 2405.15071, appendix A): pre-norm blocks with biases, GELU
(tanh), learned positions, and an output tied to the embedding. Weights have standard deviation 0.02; those that write
into the residual stream are divided by sqrt(2 layers). `loops` runs the stack several times with the same weights, as
in their appendix E.2 (4 layers with 2 loops are 8 layers whose last four share the weights of the first four).

The vocabulary has only the task's own tokens, only answers are predicted, and the last block computes only the
positions at which answers are read (for most tasks the last one). The gradients are those of the published code, for a
fifth of its operations.
"""

# N examples, L tokens, Q positions that are computed, D width, C classes, T answers, H heads, K head width, E MLP units

import math
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainables.answers import asks_for_numbers, num_answers, reads_vectors
from trainables.attention import attend, attention_size, hidden_positions, position_numbers
from trainables.dropout import dropout
from trainables.errors import SpecError
from trainables.lookup import lookup
from trainables.models.transformer import project
from trainables.size import Size
from trainables.spec import at_least, coerce

INIT_SD = 0.02
GELU_SLOPE = 2 * (2 / math.pi) ** 0.5
GELU_CUBIC = 0.044715 * GELU_SLOPE


@dataclass(frozen=True, kw_only=True)
class Model:
    """`layers` blocks, run `loops` times in a row; each MLP has 4 times the width."""

    layers: int = 8
    width: int = 768
    heads: int = 12
    loops: int = 1
    """How often the whole stack runs, with the same weights: 4 layers with 2 loops are as deep as 8 layers."""
    dropout: float = 0.1
    """Dropout rate on the embedding, on attention shares and on what each block adds; only while training."""
    init_scale: float = field(default=1.0, metadata={"per_run": True})
    """Factor on all initial standard deviations; small models need more than GPT-2's 0.02."""

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, layers=1, width=1, heads=1, loops=1)
        if self.width % self.heads:
            raise SpecError(f"gpt2.heads must divide gpt2.width, got heads={self.heads}, width={self.width}.")
        if not 0 <= self.dropout < 1:
            raise SpecError(f"gpt2.dropout must be in [0, 1), got {self.dropout}.")
        if self.init_scale <= 0:
            raise SpecError(f"gpt2.init_scale must be larger than 0, got {self.init_scale}.")

    def check(self, task: Any) -> None:
        """SpecError for a task whose answers are not tokens, because the output is tied to the embedding."""
        if task.num_classes > task.vocab_size:
            raise SpecError(
                f"model 'gpt2' answers with tokens; task {task!r} has more classes than tokens. Use 'transformer'."
            )
        if asks_for_numbers(task):
            raise SpecError(f"model 'gpt2' answers with tokens; task {task!r} asks for numbers. Use 'transformer'.")

    def size(self, task: Any) -> Size:
        """Weights, kept activations and products; see trainables/size.py."""
        width, tokens, read = self.width, task.num_tokens, num_answers(task)
        normed = 3 * width + 1
        params = self.layers * (12 * width**2 + 13 * width) + width * (task.vocab_size + tokens + 2)
        floats, products = read * (normed + task.num_classes), read * width * task.num_classes
        floats += tokens * width // 4 if self.dropout else 0
        if reads_vectors(task):
            products += tokens * task.vocab_size * width
        for asking, depth in ((tokens, self.layers * self.loops - 1), (read, 1)):  # the last computes what is read
            kept, done = attention_size(width, self.heads, tokens, asking, dropout=self.dropout > 0)
            kept += (tokens + asking) * normed + 9 * asking * width
            kept += asking * width if 1 < asking < tokens else 0  # a copy of them
            kept += asking * width // 2 if self.dropout else 0
            floats, products = floats + depth * kept, products + depth * (done + 8 * asking * width**2)
        return Size(params, floats, products)

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run, its weights drawn from `draw`."""
        return GPT2(self, task, draw)


class GPT2(nn.Module):
    """Maps tokens (N, L), and a key for dropout while training, to logits: (N, C), or (N, T, C) for T > 1 answers."""

    def __init__(self, model: Model, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.pad, self.rate, self.num_classes = getattr(task, "pad", None), model.dropout, task.num_classes
        self.num_answers = num_answers(task)
        sd = INIT_SD * model.init_scale
        self.embedding = normal(draw, sd, task.vocab_size, model.width)
        self.positions = normal(draw, sd, task.num_tokens, model.width)
        self.blocks = nn.ModuleList(Block(model, draw) for _ in range(model.layers))
        self.norm = LayerNorm(model.width)
        self.depth = model.layers * model.loops

    def forward(self, tokens_NL: Tensor, key: Tensor | None = None) -> Tensor:
        x_NLD = dropout(self.embed(tokens_NL), self.rate, key, 0)
        hidden_NLL = hidden_positions(tokens_NL, self.pad, tokens_NL.shape[1])
        for layer in range(1, self.depth + 1):
            last = layer == self.depth
            queries = self.num_answers if last else tokens_NL.shape[1]
            hidden = hidden_positions(tokens_NL, self.pad, queries) if last else hidden_NLL
            x_NLD = self.block(layer)(x_NLD, queries, hidden, key, 3 * layer)
        return self.read(x_NLD[:, 0] if self.num_answers == 1 else x_NLD)

    def embed(self, tokens_NL: Tensor) -> Tensor:
        """The residual stream before the first block, S[0], (N, L, D), in float32 as under autocast."""
        x_NLD = lookup(self.embedding, tokens_NL) + lookup(self.positions, position_numbers(tokens_NL, self.pad))
        return x_NLD.float()

    def block(self, layer: int) -> "Block":
        """The block that turns S[layer - 1] into S[layer]; layers count from 1 through all loops."""
        return self.blocks[(layer - 1) % len(self.blocks)]  # pyright: ignore[reportReturnType]

    def layer(self, layer: int, x_NLD: Tensor, tokens_NL: Tensor) -> Tensor:
        """S[layer] from S[layer - 1] at all positions, (N, L, D), without dropout; for probes."""
        length = tokens_NL.shape[1]
        return self.block(layer)(x_NLD, length, hidden_positions(tokens_NL, self.pad, length), None, 0)

    def read(self, x_D: Tensor) -> Tensor:
        """Logits of any state of the residual stream: the final norm, then the embedding as output layer."""
        return project(self.norm(x_D).float(), self.embedding[: self.num_classes].T.float())


class Block(nn.Module):
    """Maps the residual stream (N, L, D) to its next state at the last Q positions, (N, Q, D)."""

    def __init__(self, model: Model, draw: torch.Generator) -> None:
        super().__init__()
        width, sd = model.width, INIT_SD * model.init_scale
        residual_sd = sd / (2 * model.layers) ** 0.5
        self.heads, self.rate = model.heads, model.dropout
        self.attention_norm = LayerNorm(width)
        self.query_key_value = normal(draw, sd, width, 3 * width)
        self.query_key_value_bias = zeros(3 * width)
        self.output = normal(draw, residual_sd, width, width)
        self.output_bias = zeros(width)
        self.mlp_norm = LayerNorm(width)
        self.mlp_in = normal(draw, sd, width, 4 * width)
        self.mlp_in_bias = zeros(4 * width)
        self.mlp_out = normal(draw, residual_sd, 4 * width, width)
        self.mlp_out_bias = zeros(width)

    def forward(self, x_NLD: Tensor, queries: int, hidden: Tensor | None, key: Tensor | None, place: int) -> Tensor:
        mixed_NQD = self.mix(self.attention_norm(x_NLD), queries, hidden, key, place)
        x_NQD = x_NLD[:, -queries:] + dropout(mixed_NQD, self.rate, key, place + 1)
        inner_NQE = gelu(project(self.mlp_norm(x_NQD), self.mlp_in) + self.mlp_in_bias)
        return x_NQD + dropout(project(inner_NQE, self.mlp_out) + self.mlp_out_bias, self.rate, key, place + 2)

    def mix(self, x_NLD: Tensor, queries: int, hidden: Tensor | None, key: Tensor | None, place: int) -> Tensor:
        """What attention adds at the last `queries` positions, (N, Q, D)."""
        width = x_NLD.shape[-1]
        if queries == x_NLD.shape[1]:
            q, k, v = (project(x_NLD, self.query_key_value) + self.query_key_value_bias).split(width, dim=-1)
        else:
            weight, bias = self.query_key_value, self.query_key_value_bias
            q = project(x_NLD[:, -queries:], weight[:, :width]) + bias[:width]
            k, v = (project(x_NLD, weight[:, width:]) + bias[width:]).split(width, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in (q, k, v))
        mixed_NQHK = attend(q, k, v, hidden, lambda shares: dropout(shares, self.rate, key, place))
        return project(mixed_NQHK.flatten(-2), self.output) + self.output_bias


def gelu(x: Tensor) -> Tensor:
    """GELU in its tanh form (Hendrycks & Gimpel 2016, arXiv 1606.08415).

    A compiled step has tanh(z) as 2 sigmoid(2z) - 1, which makes the step a tenth faster at width 128 and a sixth at
    width 64. An eager step would keep more activations for it.
    """
    if not torch.compiler.is_compiling():
        return F.gelu(x, approximate="tanh")
    return x * torch.sigmoid(x * (GELU_SLOPE + GELU_CUBIC * x.square()))


class LayerNorm(nn.Module):
    """Layer normalisation with gain and bias, computed in float32 and returned in the precision of the weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(width)), zeros(width)

    def forward(self, x_D: Tensor) -> Tensor:
        wide_D = x_D - x_D.mean(-1, keepdim=True)
        wide_D = wide_D * torch.rsqrt(wide_D.square().mean(-1, keepdim=True) + 1e-5)
        return (wide_D * self.gain + self.bias).to(self.gain.dtype)


def normal(draw: torch.Generator, sd: float, *shape: int) -> nn.Parameter:
    """A parameter whose entries are drawn from N(0, sd^2)."""
    return nn.Parameter(torch.randn(*shape, generator=draw) * sd)


def zeros(size: int) -> nn.Parameter:
    """A parameter of zeros."""
    return nn.Parameter(torch.zeros(size))
