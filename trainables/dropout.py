"""Dropout whose mask follows from a key: nothing to save, and the same alone, in any pack and on every device.

Generators of devices differ and cannot be split by run: a hash of (run, step, place in the model, element) decides.
"""

import torch
from torch import Tensor

LOW_32 = 0xFFFFFFFF


def scramble(bits: Tensor) -> Tensor:
    """32 well-mixed bits of each int64: `lowbias32` of Wellons 2018 (https://nullprogram.com/blog/2018/07/31/)."""
    bits = bits & LOW_32
    bits = ((bits ^ (bits >> 16)) * 0x7FEB352D) & LOW_32
    bits = ((bits ^ (bits >> 15)) * 0x846CA68B) & LOW_32
    return bits ^ (bits >> 16)


def scramble_int32(bits: Tensor) -> Tensor:
    """The same hash on int32, whose products wrap: GPUs have no 64-bit multiplier."""
    bits = (bits ^ ((bits >> 16) & 0xFFFF)) * 0x7FEB352D
    bits = (bits ^ ((bits >> 15) & 0x1FFFF)) * (0x846CA68B - 2**32)
    return bits ^ ((bits >> 16) & 0xFFFF)


def dropout(x: Tensor, rate: float, key: Tensor | None, place: int) -> Tensor:
    """`x` with each element zero with probability `rate` and the others scaled up; `x` itself without a key.

    `key` is a number of the run and step, 0-d int64; `place` tells the layers of the model apart.
    """
    if key is None or rate == 0:
        return x
    element = torch.arange(x.numel(), dtype=torch.int32, device=x.device).view(x.shape)
    seed = scramble(key + 0x9E3779B9 * (place + 1)).to(torch.int32)
    kept = scramble_int32(element ^ seed) >= round(rate * 2**32) - 2**31
    return torch.where(kept, x / (1 - rate), 0)
