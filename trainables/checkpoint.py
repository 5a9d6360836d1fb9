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
        rows = torch.tensor([place[run_id] for run_id in run_ids])
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


def about(path: Path) -> tuple[list[str], int]:
    """The run ids and the step of a checkpoint, from its header alone; CheckpointError if it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
        if header.get("format") != FORMAT:
            raise CheckpointError(
                f"checkpoint {path} has format {header.get('format')!r}, this version reads {FORMAT}."
            )
        run_ids, step = json.loads(header["run_ids"]), int(header["step"])
        if not isinstance(run_ids, list) or not all(isinstance(r, str) for r in run_ids) or step < 0:
            raise ValueError(f"it is of runs {header['run_ids'][:100]} at step {step}")
        return run_ids, step
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"checkpoint {path} cannot be read: {error}.") from error


def load(path: Path) -> Checkpoint:
    """The whole checkpoint on the CPU; CheckpointError if it cannot be read."""
    run_ids, step = about(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error}.") from error
    if any(tensor.shape[:1] != (len(run_ids),) for tensor in tensors.values()):
        raise CheckpointError(f"checkpoint {path} cannot be read: its tensors are not those of {len(run_ids)} runs.")
    return Checkpoint(run_ids, step, tensors)
