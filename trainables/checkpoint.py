"""The state of runs on disk, as safetensors: everything needed to go on, and nothing that could execute.

A file holds the runs of one pack at one step (or one run that has left its pack). It appears by an atomic rename, so a
reader sees the old state or the new one.
"""

# R runs, W weights

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FORMAT = "1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: torn, foreign, or of another format. The run starts from the beginning."""


@dataclass(frozen=True)
class Checkpoint:
    """R runs after `step` optimizer steps. `tensors` are all (R, ...): weights, optimizer slots, generalized_at."""

    run_ids: list[str]
    step: int
    tensors: dict[str, Tensor]

    def select(self, run_ids: Sequence[str]) -> "Checkpoint":
        """The same state for these runs, in this order; KeyError if one is not here."""
        place = {run_id: row for row, run_id in enumerate(self.run_ids)}
        rows = torch.tensor([place[run_id] for run_id in run_ids], dtype=torch.int64)  # without it [] would be floats
        return Checkpoint(list(run_ids), self.step, {name: tensor[rows] for name, tensor in self.tensors.items()})


def joined(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """The runs of several checkpoints of one step and one shape as one."""
    assert len({c.step for c in checkpoints}) == 1
    names = checkpoints[0].tensors
    tensors = {name: torch.cat([c.tensors[name] for c in checkpoints]) for name in names}
    return Checkpoint([run_id for c in checkpoints for run_id in c.run_ids], checkpoints[0].step, tensors)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write to a neighbour and rename; creates the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.name}.{os.getpid()}")
    about = {"format": FORMAT, "step": str(checkpoint.step), "run_ids": json.dumps(checkpoint.run_ids)}
    try:
        save_file({k: v.contiguous() for k, v in checkpoint.tensors.items()}, neighbour, metadata=about)
        os.replace(neighbour, path)
    finally:
        neighbour.unlink(missing_ok=True)


def about(file: BinaryIO) -> tuple[list[str], int]:
    """The run ids and the step of a checkpoint, from the header of an open file; CheckpointError if it is torn or none.

    Only the header is read, and the length of the file compared with what it says. OSError if it cannot be read at all.
    """
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if length > size:
            raise ValueError("it is cut short, or no safetensors file")
        header = json.loads(file.read(length))
        said = header.pop("__metadata__", {})
        if said.get("format") != FORMAT:
            raise ValueError(f"it has format {said.get('format')!r}, this version reads {FORMAT}")
        if size != 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0):
            raise ValueError("it is cut short")
        run_ids, step = json.loads(said["run_ids"]), int(said["step"])
        if not isinstance(run_ids, list) or not all(isinstance(r, str) for r in run_ids) or step < 0:
            raise ValueError(f"it is of runs {said['run_ids'][:100]} at step {step}")
        return run_ids, step
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"no usable checkpoint ({error}).") from error


def load(path: Path) -> Checkpoint:
    """The whole checkpoint on the CPU; CheckpointError if it cannot be read."""
    try:
        with path.open("rb") as file:
            run_ids, step = about(file)
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (CheckpointError, SafetensorError, OSError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error}") from error
    if any(tensor.shape[:1] != (len(run_ids),) for tensor in tensors.values()):
        raise CheckpointError(f"checkpoint {path} cannot be read: its tensors are not those of {len(run_ids)} runs.")
    return Checkpoint(run_ids, step, tensors)
