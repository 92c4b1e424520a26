"""What this process sees of the GPUs that it uses: memory, for /metrics. Called by `presence` every few seconds.

Only of a process that has touched CUDA already: a look from here must not load torch, nor open a context of some hundred megabytes on a
GPU that nobody uses. Utilisation needs NVML, which is not among our packages: NVIDIA's DCGM exporter tells it.
"""

import sys
from typing import Any, Protocol


class Cuda(Protocol):
    """The part of `torch.cuda` that is asked."""

    def is_initialized(self) -> bool:
        """Whether the process has opened a context."""

    def device_count(self) -> int:
        """How many GPUs the process may use."""

    def memory_reserved(self, device: int) -> int:
        """Bytes that this process has taken; opens no context."""

    def mem_get_info(self, device: int) -> tuple[int, int]:
        """Free bytes and all bytes of the GPU, whoever uses it."""

    def get_device_properties(self, device: int) -> Any:
        """Its `name` and `uuid`."""


def seen(cuda: Cuda | None = None) -> list[dict[str, Any]]:
    """Return `uuid`, `model`, `used_bytes`, `total_bytes` and this process's `own_bytes` of each GPU in use here; [] without any."""
    if cuda is None:
        torch = sys.modules.get("torch")
        cuda = None if torch is None else torch.cuda
    try:
        if cuda is None or not cuda.is_initialized():
            return []
        return [
            _one(cuda, device, own) for device in range(cuda.device_count()) if (own := cuda.memory_reserved(device))
        ]
    except RuntimeError:  # of a GPU that has fallen off the bus; the work that meets it says more
        return []


def _one(cuda: Cuda, device: int, own_bytes: int) -> dict[str, Any]:
    free, total = cuda.mem_get_info(device)
    known = cuda.get_device_properties(device)
    return {
        "uuid": str(getattr(known, "uuid", device)),
        "model": str(known.name),
        "used_bytes": total - free,
        "total_bytes": total,
        "own_bytes": own_bytes,
    }
