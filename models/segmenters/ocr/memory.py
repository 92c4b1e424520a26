"""Remembers what was found on pixels seen before, so that unchanged parts of the next screenshot cost nothing.

Used by the text reader and by the `gui` segmenter. Lives in one worker process; bounded; keyed by the pixels themselves, so that it never changes a result.
"""

import hashlib
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V")


def pixel_key(pixels: NDArray[np.uint8], *more: int) -> bytes:
    """Name of a picture's content and shape, and of `more` numbers that the result depends on."""
    digest = hashlib.blake2b(repr((pixels.shape, more)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()


class Memory(Generic[V]):
    """The `size` values asked for last; threads may share it."""

    def __init__(self, size: int) -> None:
        """Keep at most `size` values; 0 keeps none."""
        self._size = size
        self._kept: OrderedDict[bytes, V] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._kept)

    def get(self, key: bytes) -> V | None:
        """Return what was put under `key`, None if nothing was or it was dropped."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def put(self, key: bytes, value: V) -> None:
        """Keep `value`; the one asked for longest ago gives way."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
