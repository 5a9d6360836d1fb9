"""The state of runs on disk, as safetensors: everything needed to go on, and nothing that could execute.

A file holds the runs of one pack at one step (or one run that has left its pack), and says what it must hold: a digest
of its tensors, and one of what its header says of them. Bytes that were not written are never trained on.
"""

# R runs, W weights

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FORMAT = "2"
UNCHECKED = "1"
"""The format of files without digests, which are believed as they are."""
DIGESTS = ("about_sha256", "tensors_sha256")


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: torn, foreign, of another format or another model. An older state takes its
    place, or the run starts from the beginning."""


@dataclass(frozen=True)
class Checkpoint:
    """R runs after `step` optimizer steps. `tensors` are all (R, ...): weights, optimizer slots, generalized_at."""

    run_ids: list[str]
    step: int
    tensors: dict[str, Tensor]
    layout: str = ""
    """Digest of the parameters in `weights`, see `Layout.digest`; '' in a file of format 1, where nobody knows."""

    def select(self, run_ids: Sequence[str]) -> "Checkpoint":
        """The same state for these runs, in this order; KeyError if one is not here."""
        place = {run_id: row for row, run_id in enumerate(self.run_ids)}
        rows = torch.tensor([place[run_id] for run_id in run_ids], dtype=torch.int64)  # without it [] would be floats
        return replace(self, run_ids=list(run_ids), tensors={name: t[rows] for name, t in self.tensors.items()})

    def check_fits(self, tensors: Mapping[str, Tensor], layout: str) -> None:
        """CheckpointError unless names, types, shapes and layout are those of a model's own tensors, runs apart."""
        mine, asked = _forms(self.tensors), _forms(tensors)
        if mine != asked or self.layout not in ("", layout):
            reason = f"{mine} for {asked}" if mine != asked else "parameters of other names or shapes"
            raise CheckpointError(f"the state of {len(self.run_ids)} runs is of another model ({reason}).")


def joined(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """The runs of several checkpoints of one step as one; CheckpointError where they are of different models."""
    assert len({c.step for c in checkpoints}) == 1
    layout = max(c.layout for c in checkpoints)
    for checkpoint in checkpoints:
        checkpoint.check_fits(checkpoints[0].tensors, layout)
    tensors = {name: torch.cat([c.tensors[name] for c in checkpoints]) for name in checkpoints[0].tensors}
    return Checkpoint([run_id for c in checkpoints for run_id in c.run_ids], checkpoints[0].step, tensors, layout)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a new file; OSError if it cannot be written. Nothing makes it appear whole: that is for the caller."""
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    said = {"format": FORMAT, "step": str(checkpoint.step), "run_ids": json.dumps(checkpoint.run_ids)}
    said |= {"layout": checkpoint.layout, "tensors_sha256": _digest(tensors)}
    try:
        save_file(tensors, path, metadata={**said, "about_sha256": _digest_of(said)})
    except SafetensorError as error:
        if number := re.search(r"os error (\d+)", str(error)):  # a fault of the disk, and not of the tensors
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
        raise


def about(file: BinaryIO) -> tuple[list[str], int]:
    """The run ids and the step of a checkpoint, from the header of an open file; CheckpointError if it is torn or none.

    Only the header is read: the length of the file is compared with what it says. OSError if it cannot be read at all.
    """
    said = _said(file)
    return said["run_ids"], said["step"]


def load(path: Path) -> Checkpoint:
    """The whole checkpoint on the CPU; CheckpointError if it cannot be read, or is not as it was written."""
    try:
        with path.open("rb") as file:
            said = _said(file)
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (CheckpointError, SafetensorError, OSError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error}") from error
    if any(tensor.shape[:1] != (len(said["run_ids"]),) for tensor in tensors.values()):
        raise CheckpointError(f"checkpoint {path} cannot be read: its tensors are not of {len(said['run_ids'])} runs.")
    if said["digest"] not in (None, _digest(tensors)):
        raise CheckpointError(f"checkpoint {path} cannot be used: its tensors are not those that were written.")
    return Checkpoint(said["run_ids"], said["step"], tensors, said["layout"])


def _said(file: BinaryIO) -> dict[str, Any]:
    """What the header says of the tensors, if it can be believed: run_ids, step, layout, digest (None in format 1)."""
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if length > size:
            raise ValueError("it is cut short, or no safetensors file")
        header = json.loads(file.read(length))
        said = header.pop("__metadata__", {})
        if said.get("format") not in (FORMAT, UNCHECKED):
            raise ValueError(f"it has format {said.get('format')!r}, this version reads {FORMAT}")
        if (said["format"] == FORMAT or {*DIGESTS} & said.keys()) and said.pop("about_sha256", "") != _digest_of(said):
            raise ValueError("its header is not as it was written")
        if size != 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0):
            raise ValueError("it is cut short")
        run_ids, step = json.loads(said["run_ids"]), int(said["step"])
        if not isinstance(run_ids, list) or not all(isinstance(r, str) for r in run_ids) or step < 0:
            raise ValueError(f"it is of runs {said['run_ids'][:100]} at step {step}")
        return {
            "run_ids": run_ids, "step": step, "layout": said.get("layout", ""), "digest": said.get("tensors_sha256")
        }  # fmt: skip
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"no usable checkpoint ({error}).") from error


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """A hash of names, types, shapes and bytes."""
    whole = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tensor.dtype} {[*tensor.shape]};".encode())
        whole.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()


def _digest_of(said: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _forms(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The type and the shape of each tensor, without its number of runs."""
    return {name: f"{tensor.dtype} {[*tensor.shape[1:]]}" for name, tensor in sorted(tensors.items())}
