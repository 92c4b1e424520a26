"""Checks the pictures of a request and encodes them for a server. Called by the backends only; knows no prompts."""

import base64
import weakref
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadImage
from models.vlm.types import EncodedPicture

MAX_IMAGES = 8


def check_pictures(images: Sequence[NDArray[np.uint8]]) -> None:
    """Raise BadImage unless every picture is (H, W, 3) uint8 with pixels, and there are at most MAX_IMAGES."""
    if len(images) > MAX_IMAGES:
        raise BadImage(f"{len(images)} pictures were given; at most {MAX_IMAGES} are accepted")
    for image in images:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise BadImage(f"expected a (H, W, 3) uint8 picture, got {image.dtype} of shape {image.shape}")


def data_url(image: NDArray[np.uint8]) -> str:
    """Return `image` ((H, W, 3) uint8 RGB) as a PNG in a data: URL. Same pixels, same bytes."""
    # Level 1: a screenshot takes a third of the default's time and the bytes only travel to the next machine.
    done, png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise BadImage("the picture cannot be encoded as PNG")
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode("ascii")


def encoded_url(picture: EncodedPicture) -> str:
    """Return a picture that is a file already as a data: URL."""
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode('ascii')}"


class _Files:
    """PNG files of arrays that cannot be written to, as long as the arrays live."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[NDArray[np.uint8]], bytes]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, image: NDArray[np.uint8], png: bytes) -> None:
        """See `keep_file`."""
        if image.flags.writeable or not image.flags.owndata:
            raise ValueError("the file of a picture that may change cannot be kept")
        key = id(image)
        self._kept[key] = (weakref.ref(image, lambda _gone: self._kept.pop(key, None)), png)

    def find(self, image: NDArray[np.uint8]) -> bytes | None:
        """Return the file of this very array."""
        kept = self._kept.get(id(image))
        return kept[1] if kept is not None and kept[0]() is image else None


_files = _Files()


def keep_file(image: NDArray[np.uint8], png: bytes) -> None:
    """Say that `png` is the file that `image` was read from: it is sent as it is, which saves 20 ms on the first question.

    The array owns its pixels and is read-only; raises ValueError otherwise. The bytes are let go with the array.
    """
    _files.keep(image, png)


class PictureUrls:
    """Remembers the data: URL of a picture as long as the picture lives, if its array cannot be written to."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[NDArray[np.uint8]], str]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def url(self, image: NDArray[np.uint8]) -> str:
        """Return `data_url(image)`, encoded once for an array that is read-only and owns its pixels."""
        if image.flags.writeable or not image.flags.owndata:
            return data_url(image)
        key = id(image)
        kept = self._kept.get(key)
        if kept is not None and kept[0]() is image:
            return kept[1]
        file = _files.find(image)
        url = data_url(image) if file is None else encoded_url(EncodedPicture(data=file, media_type="image/png"))
        self._kept[key] = (weakref.ref(image, lambda _gone: self._kept.pop(key, None)), url)
        return url
