"""The limits on one untrusted image, in one place.

Used by decode and fetch. Does not know who asks or why; production values are the defaults.
"""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What one image may cost. A 40 Mpx PNG bomb is 114 KiB on the wire and 160 MB once decoded."""

    max_bytes: int = 20 * MEBIBYTE
    max_pixels: int = 40_000_000
    max_side_px: int = 16_384
    max_aspect: int = 64
    cpu_s: int = 5
    wall_s: float = 15.0
    memory_bytes: int = 1024 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many decoder processes there are and how long one is trusted to stay clean."""

    processes: int = 2
    images_per_process: int = 500
    wait_s: float = 10.0
