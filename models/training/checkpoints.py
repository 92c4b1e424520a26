"""Checkpoints of a running stage: safetensors for tensors, JSON for the rest, written so that a kill leaves no half.

A folder is written under another name and renamed; the last good one stays until then. No pickle is read or written.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor


def write(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Replace the checkpoint at `folder`."""
    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, fresh / "tensors.safetensors"
    )
    (fresh / "state.json").write_text(json.dumps(state, indent=2, sort_keys=True))
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The checkpoint at `folder`, or the one it was about to replace, or None."""
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / "state.json").exists():
            state: dict[str, Any] = json.loads((candidate / "state.json").read_text())
            return load_file(candidate / "tensors.safetensors"), state
    return None
