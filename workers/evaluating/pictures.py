"""Small pictures of what a model was shown, for reports."""

import base64

import cv2

from app.imaging.encode import Encoding, encode
from models.evaluation.runs.tags import Picture


def thumbnail(picture: Picture, most_px: int = 480) -> bytes:
    """Return (H, W, 3) uint8 RGB as WebP, the long side at most `most_px`."""
    height, width = picture.shape[:2]
    scale = min(1.0, most_px / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = picture if scale == 1.0 else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return encode(small, Encoding.WEBP)


def data_url(picture: bytes) -> str:
    """Return a WebP picture as a page carries it that fetches nothing."""
    return f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}"
