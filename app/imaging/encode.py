"""Our own pixels to bytes and back: the canonical copy that /content serves, and overlays in the format asked for.

Called after decode, by the services that store overlays, and by workers that read a canonical copy. It never sees
bytes that a caller sent. The parameters are constants: same pixels, same bytes.
"""

import io
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Level 1 with the UP filter: 8 ms and 172 KiB for a 1280x800 screenshot, where Pillow's level 1 takes 18 ms and
# 156 KiB, its default 28 ms and 163 KiB, and lossless WebP 19 ms and 202 KiB (which also ends at 16,383 px).
PNG_PARAMETERS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
JPEG_PARAMETERS = (cv2.IMWRITE_JPEG_QUALITY, 90)
WEBP_QUALITY = 85
WEBP_METHOD = 0  # 18 ms for 1280x800; method 4, the default, takes over 40 ms for 20 % fewer bytes
WEBP_MAX_SIDE_PX = 16_383


class Encoding(StrEnum):
    """A format that we write; the value is the file extension."""

    PNG = "png"
    WEBP = "webp"
    JPEG = "jpg"

    @property
    def media_type(self) -> str:
        """The media type to serve the bytes under."""
        return "image/jpeg" if self is Encoding.JPEG else f"image/{self.value}"


def encode(image: NDArray[np.uint8], encoding: Encoding | str = Encoding.PNG) -> bytes:
    """Encode (H, W, 3) uint8 RGB. PNG is lossless; WebP (quality 85) and JPEG (quality 90) are not.

    ValueError for another shape or dtype, or for a WebP side beyond 16,383 px.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"expected a (H, W, 3) uint8 array, got {image.shape} {image.dtype}")
    match Encoding(encoding):
        case Encoding.PNG:
            return _encode_cv2(image, ".png", PNG_PARAMETERS)
        case Encoding.JPEG:
            return _encode_cv2(image, ".jpg", JPEG_PARAMETERS)
        case Encoding.WEBP:
            return _encode_webp(image)


def read_canonical(data: bytes) -> NDArray[np.uint8]:
    """The pixels of bytes that `encode` wrote as PNG: (H, W, 3) uint8 RGB.

    For our own stored bytes only. ValueError when they are damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode != "RGB":
                raise ValueError(f"expected a canonical RGB image, got mode {image.mode}")
            return np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError) as failed:
        raise ValueError("the stored canonical image is damaged") from failed


def cut_out(data: bytes, box_xyxy_px: tuple[int, int, int, int]) -> bytes:
    """A part of a canonical copy as a canonical copy: [x0, x1) x [y0, y1), cut to the image.

    ValueError when nothing of it lies in the image, or the bytes are damaged.
    """
    x0, y0, x1, y1 = box_xyxy_px
    return encode(np.ascontiguousarray(read_canonical(data)[y0:y1, x0:x1]))


def fitted(image: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB with its long side at most `side_px`; a smaller one is returned as it is."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return image
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _encode_cv2(image: NDArray[np.uint8], extension: str, parameters: tuple[int, ...]) -> bytes:
    done, encoded = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise ValueError(f"could not encode {image.shape} as {extension}")
    return encoded.tobytes()


def _encode_webp(image: NDArray[np.uint8]) -> bytes:
    if max(image.shape[:2]) > WEBP_MAX_SIDE_PX:
        raise ValueError(f"expected sides of at most {WEBP_MAX_SIDE_PX} px for WebP, got {image.shape[:2]}")
    sink = io.BytesIO()
    Image.fromarray(image).save(sink, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return sink.getvalue()
