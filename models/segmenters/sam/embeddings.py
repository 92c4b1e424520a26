"""Embeddings of pictures seen lately, so that a second prompt on a picture costs only the decoder.

Least recently used goes first; the memory held is bounded. Knows no networks: it is told how to encode.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.segmenters.sam.network import Embedding

Picture = NDArray[np.uint8]
# ViT-B, L and H all give 4 MB a picture in float32: 64 pictures.
MOST_BYTES = 256 << 20


class Embeddings:
    """A bounded cache, keyed by the pixels; may be used from several threads."""

    def __init__(self, encode: Callable[[Sequence[Picture]], list[Embedding]], most_bytes: int = MOST_BYTES) -> None:
        self._encode, self._most_bytes = encode, most_bytes
        self._kept: OrderedDict[bytes, Embedding] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, images: Sequence[Picture]) -> list[Embedding]:
        """Return the embeddings of `images` ((H, W, 3) uint8 each); the unknown ones are encoded together."""
        keys = [_key(image) for image in images]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        unknown = {key: image for key, image in zip(keys, images, strict=True) if key not in found}
        if unknown:
            found |= dict(zip(unknown, self._encode(list(unknown.values())), strict=True))
        with self._lock:
            for key in keys:
                self._kept[key] = found[key]
                self._kept.move_to_end(key)
            while len(self._kept) > 1 and self.bytes > self._most_bytes:
                self._kept.popitem(last=False)
        return [found[key] for key in keys]

    @property
    def bytes(self) -> int:
        """Memory held by the embeddings."""
        return sum(embedding.bytes for embedding in self._kept.values())


def _key(image: Picture) -> bytes:
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()
