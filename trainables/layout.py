"""All weights of a run as one vector, so that a pack's weights, gradients and optimizer state are each one matrix.

One matrix makes an optimizer a handful of operations, compaction one index, and a checkpoint one tensor. Every
parameter starts at a multiple of 16 floats, which batched matrix products like; the padding stays zero.
"""

# R runs, W weights with padding

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn

ALIGNMENT = 16


@dataclass(frozen=True)
class Slot:
    """Where one parameter lies in the vector."""

    name: str
    start: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of weights, padding not counted."""
        return torch.Size(self.shape).numel()

    @property
    def padded_size(self) -> int:
        """Place that it takes in the vector."""
        return -(-self.size // ALIGNMENT) * ALIGNMENT


class Layout:
    """The slots of a module's parameters, in the module's order; the same for all runs of a pack."""

    def __init__(self, module: nn.Module) -> None:
        self.slots: list[Slot] = []
        self.width = 0
        for name, parameter in module.named_parameters():
            self.slots.append(Slot(name, self.width, tuple(parameter.shape)))
            self.width += self.slots[-1].padded_size
        kinds = [torch.full((slot.padded_size,), len(slot.shape) > 1) for slot in self.slots]
        self.is_matrix_W = torch.cat(kinds)
        """True for a weight of a matrix, False for one of a bias or a gain, and for padding; on the device of `to`."""
        self.num_params = sum(slot.size for slot in self.slots)

    @property
    def digest(self) -> str:
        """A hash of the parameters' names, places and shapes: weights of another layout mean something else."""
        return hashlib.sha256(repr(self.slots).encode()).hexdigest()[:16]

    def flatten(self, module: nn.Module) -> Tensor:
        """The module's weights as a new vector (W,)."""
        vector_W = torch.zeros(self.width)
        for slot, parameter in zip(self.slots, module.parameters(), strict=True):
            vector_W[slot.start : slot.start + slot.size] = parameter.detach().flatten()
        return vector_W

    def named(self, vector_W: Tensor) -> dict[str, Tensor]:
        """Views of a vector (W,) under the module's parameter names and shapes."""
        # One split, whose backward pass is one concatenation; that of slices is a sum of as many padded vectors.
        pieces = vector_W.split([slot.padded_size for slot in self.slots])
        return {s.name: piece[: s.size].view(s.shape) for s, piece in zip(self.slots, pieces, strict=True)}

    def to(self, device: torch.device) -> "Layout":
        """Itself, for tensors on this device."""
        self.is_matrix_W = self.is_matrix_W.to(device)
        return self

    def stacked(self, matrix_RW: Tensor, slot: Slot) -> Tensor:
        """View of one parameter of all runs: (R, *shape)."""
        return matrix_RW[:, slot.start : slot.start + slot.size].unflatten(1, slot.shape)
