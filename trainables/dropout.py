"""Dropout whose mask follows from a key: nothing to save, and the same alone, in any pack and on every device.

Generators of devices differ and cannot be split by run. Here a hash of (run, step, place in the model, element) decides.
"""

import torch
from torch import Tensor

LOW_32 = 0xFFFFFFFF


def scramble(bits: Tensor) -> Tensor:
    """32 well-mixed bits of each int64: the hash `lowbias32` of Wellons 2018 (https://nullprogram.com/blog/2018/07/31/)."""
    bits = bits & LOW_32
    bits = ((bits ^ (bits >> 16)) * 0x7FEB352D) & LOW_32
    bits = ((bits ^ (bits >> 15)) * 0x846CA68B) & LOW_32
    return bits ^ (bits >> 16)


def dropout(x: Tensor, rate: float, key: Tensor | None, place: int) -> Tensor:
    """`x` with each element zero with probability `rate` and the others scaled up; `x` itself without a key.

    `key` is a number of the run and step, 0-d int64; `place` tells the layers of the model apart.
    """
    if key is None or rate == 0:
        return x
    element = torch.arange(x.numel(), device=x.device).view(x.shape)
    kept = scramble(element ^ scramble(key + 0x9E3779B9 * (place + 1))) >= round(rate * 2**32)
    return torch.where(kept, x / (1 - rate), 0)
