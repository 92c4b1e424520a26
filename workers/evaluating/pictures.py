"""Small pictures of what a model was shown, for reports."""

import base64

from app.imaging.encode import Encoding, encode, fitted
from models.evaluation.runs.tags import Picture


def thumbnail(picture: Picture, most_px: int = 480) -> bytes:
    """Return (H, W, 3) uint8 RGB as WebP, the long side at most `most_px`."""
    return encode(fitted(picture, most_px), Encoding.WEBP)


def data_url(picture: bytes) -> str:
    """Return a WebP picture as a page carries it that fetches nothing."""
    return f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}"
