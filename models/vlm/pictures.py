"""Checks the pictures of a request, fits them and encodes them. Called by the backends only; knows no prompts."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadImage

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


def fit_square(image: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Return `image` ((H, W, 3) uint8) shrunk or grown into a (size_px, size_px, 3) square with black bars.

    A square of that size comes back as it is: `paint_for_model` has fitted it already.
    """
    height, width = image.shape[:2]
    if (height, width) == (size_px, size_px):
        return image
    scale = size_px / max(height, width)
    fitted_hw = (max(1, round(height * scale)), max(1, round(width * scale)))
    # Area averaging keeps text that appears only after a careless shrink (an injection trick) from appearing.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((size_px, size_px, 3), dtype=np.uint8)
    top, left = (size_px - fitted_hw[0]) // 2, (size_px - fitted_hw[1]) // 2
    square[top : top + fitted_hw[0], left : left + fitted_hw[1]] = cv2.resize(image, fitted_hw[::-1], interpolation=how)
    return square
