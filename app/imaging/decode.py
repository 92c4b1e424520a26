"""Untrusted bytes to pixels: checks, then a decoder child, then our own lossless copy.

Called by the services that accept images and by the command line. `ImageDecoder` owns the pool of children and is safe
to share between threads; it starts nothing before the first image. Knows nothing of HTTP, keys or storage.
"""

import hashlib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.imaging.decoder_pool import DecoderPool
from app.imaging.encode import Encoding, encode
from app.imaging.errors import EmptyPicture, TooLarge
from app.imaging.limits import ImageLimits, PoolLimits
from app.imaging.structure import examine

FIRST_FRAME_NOTE = "The image is animated; only its first frame is used."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """The picture as displayed: EXIF applied, transparency on white, 8-bit sRGB."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    media_type: str  # of the bytes as received
    orientation: int  # EXIF orientation the bytes were stored in, 1-8
    frames: int
    sha256: str  # of the bytes as received

    @property
    def notes(self) -> tuple[str, ...]:
        """What a caller should know about the way the image was read."""
        return (FIRST_FRAME_NOTE,) if self.frames > 1 else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """An accepted image: what was received, and the canonical copy that everything downstream reads."""

    width: int
    height: int
    media_type: str
    orientation: int
    frames: int
    sha256: str
    notes: tuple[str, ...]
    canonical: bytes  # lossless PNG without metadata, see encode.read_canonical
    canonical_media_type: str = Encoding.PNG.media_type


class ImageDecoder:
    """The one door for image bytes that somebody sent. Use as a context manager, or call close()."""

    def __init__(self, limits: ImageLimits | None = None, pool_limits: PoolLimits | None = None) -> None:
        self.limits = limits or ImageLimits()
        self._pool = DecoderPool(self.limits, pool_limits or PoolLimits())

    def decode(self, data: bytes, declared_media_type: str | None = None) -> Decoded:
        """Decode and re-encode; raises an ImagingError with a fixed message for anything that is not a good image.

        `declared_media_type` is a Content-Type of the caller: given and specific, it has to be true.
        """
        pixels = self.decode_pixels(data, declared_media_type)
        height, width = pixels.image.shape[:2]
        return Decoded(
            width=width,
            height=height,
            media_type=pixels.media_type,
            orientation=pixels.orientation,
            frames=pixels.frames,
            sha256=pixels.sha256,
            notes=pixels.notes,
            canonical=encode(pixels.image, Encoding.PNG),
        )

    def decode_pixels(self, data: bytes, declared_media_type: str | None = None) -> Pixels:
        """As decode(), without the canonical copy: for a caller that uses the pixels at once."""
        if not data:
            raise EmptyPicture
        if len(data) > self.limits.max_bytes:
            raise TooLarge(f"The image has {len(data)} bytes; at most {self.limits.max_bytes} are accepted.")
        claim = examine(data, declared_media_type)
        raw = self._pool.decode(data, claim.format_name)
        return Pixels(
            image=raw.image,
            media_type=claim.media_type,
            orientation=raw.orientation,
            frames=max(claim.frames, raw.frames),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def close(self) -> None:
        """End the children; a decode that comes later raises DecoderBusy."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
