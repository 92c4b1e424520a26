"""What the operator installed: weights for segmenters that need them, the cache folder, and segmenters of his own.

Made by whoever reads the settings, handed to the segmenters by `models.registry`. Reads no environment and no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_CACHE = Path(".markwise/weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`weights` maps a segmenter's name to a path or a published name; absent means not installed.

    `compiled` asks for torch.compile: worth it for a long-lived GPU worker, minutes of waiting for anybody else.
    `outside` maps the name of a segmenter that is none of ours to its class, as `module:Class`; it is made without arguments.
    """

    weights: Mapping[str, str] = field(default_factory=dict)
    cache: Path = DEFAULT_CACHE
    compiled: bool = False
    outside: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def setting(name: str) -> str:
        """The setting that names the weights of segmenter `name`."""
        return f"MARKWISE_{name.upper().replace('-', '_')}_WEIGHTS"
