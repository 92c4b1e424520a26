"""Checkpoints of a running stage: safetensors for tensors, JSON for the rest, written so that a kill leaves no half.

A folder is written under another name and renamed; the last good one stays until then. No pickle is read or written. Sharded
weights are written by every process, each its own pieces into a file of its own, and read back by as many processes.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from safetensors.torch import load_file, save_file
from torch import Tensor

from models.errors import BadInput

WHOLE: Final = "tensors.safetensors"


def write(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Replace the checkpoint at `folder`."""
    fresh = _fresh(folder)
    _save(tensors, fresh / WHOLE)
    _replace(folder, fresh, state)


def write_shards(
    folder: Path, tensors: dict[str, Tensor], state: dict[str, Any], rank: int, world: int, wait: Callable[[], None]
) -> None:
    """The same by all processes together on one file system; `wait` returns when all of them have called it."""
    if rank == 0:
        _fresh(folder)
    wait()
    fresh = folder.with_name(folder.name + ".new")
    _save(tensors, fresh / _piece(rank, world))
    wait()
    if rank == 0:
        _replace(folder, fresh, state)
    wait()


def read(folder: Path, rank: int = 0, world: int = 1) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The checkpoint at `folder`, or the one it was about to replace, or None; of a sharded one this process's pieces.

    Raises BadInput where it was sharded among another number of processes.
    """
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / "state.json").exists():
            state: dict[str, Any] = json.loads((candidate / "state.json").read_text())
            if (candidate / WHOLE).exists():
                return load_file(candidate / WHOLE), state
            if not (candidate / _piece(rank, world)).exists():
                count = len(list(candidate.glob("tensors-*.safetensors")))
                raise BadInput(f"{candidate} was saved by {count} processes and can be taken up by {count} only")
            return load_file(candidate / _piece(rank, world)), state
    return None


def _piece(rank: int, world: int) -> str:
    return f"tensors-{rank + 1:05d}-of-{world:05d}.safetensors"


def _fresh(folder: Path) -> Path:
    fresh, old = (folder.with_name(folder.name + end) for end in (".new", ".old"))
    if old.exists() and not folder.exists():  # killed between two renames: the last good one is the old one
        old.rename(folder)
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def _save(tensors: dict[str, Tensor], file: Path) -> None:
    # Copied on the host: a copy beside a 7B model's masters and moments, 84 GB, would have no room on its device.
    save_file({name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}, file)


def _replace(folder: Path, fresh: Path, state: dict[str, Any]) -> None:
    old = folder.with_name(folder.name + ".old")
    (fresh / "state.json").write_text(json.dumps(state, indent=2, sort_keys=True))
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
