"""Sums of weights, so that what one checkpoint found is not taken for what another one would find.

Called by `models.registry` for whoever must tell marks apart without loading a model, and by segmenters for their version.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from models.published import PIN, PUBLISHED

_SHOWN = 12
_WEIGHTS = (".onnx", ".pth", ".pt", ".bin", ".safetensors", ".json")


def sum_of(given: str | Path) -> str:
    """Return a short sum of a published name, a file, or the weights and configuration in a folder.

    What cannot be seen from here (a path of another machine) is known by its name alone.
    """
    name, _, trusted = str(given).partition(PIN)
    if name in PUBLISHED and (known := trusted or PUBLISHED[name].sha256):
        return known[:_SHOWN]
    place = Path(given).expanduser()
    if place.is_file():
        return _sum_of_file(place)[:_SHOWN]
    parts = sorted(path for path in place.glob("*") if path.suffix in _WEIGHTS and path.is_file())
    told = [f"{path.name} {_sum_of_file(path)}" for path in parts] or [str(given)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:_SHOWN]


def _sum_of_file(path: Path) -> str:
    seen = path.stat()
    return _read(path, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, _size: int, _changed_ns: int) -> str:
    """2.4 GB take seconds, so a file is read once as long as it does not change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
