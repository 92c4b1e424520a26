"""Whatever a caller has of an image -> the image reference of the API."""

import base64
import io
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from markwise.types import Image, ImageOfMarkSet, MarkSet


class Picture(Protocol):
    """What PIL's images can do."""

    def save(self, fp: io.BytesIO, format: str) -> None:  # PIL's name
        """Write the picture."""


ImageLike = str | bytes | PathLike[str] | Image | ImageOfMarkSet | MarkSet | Picture
"""A path, an http(s) URL, the file's bytes, a PIL image, or an image or a mark set that the service knows."""


def reference(image: ImageLike) -> dict[str, Any]:
    """Return `{"image": ...}` or `{"mark_set_id": ...}`; raises FileNotFoundError for a path that is none."""
    if isinstance(image, MarkSet):
        return {"mark_set_id": image.id}
    return {"image": _image(image)}


def _image(image: Any) -> dict[str, str]:
    if isinstance(image, MarkSet):
        return {"type": "id", "id": image.image.id}
    if isinstance(image, Image | ImageOfMarkSet):
        return {"type": "id", "id": image.id}
    if isinstance(image, str) and image.startswith(("http://", "https://")):
        return {"type": "url", "url": image}
    if isinstance(image, str | PathLike):
        data = Path(image).read_bytes()
    elif isinstance(image, bytes | bytearray | memoryview):
        data = bytes(image)
    else:
        buffer = io.BytesIO()
        image.save(buffer, format="PNG")
        data = buffer.getvalue()
    return {"type": "base64", "data": base64.b64encode(data).decode()}


def image_only(image: ImageLike) -> dict[str, str]:
    """As `reference`, where only an image will do: of a mark set its image."""
    return _image(image)
