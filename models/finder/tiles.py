"""Cuts a picture into the squares that the finder looks at: large enough to read a label, few enough to be quick.

A label of SoM's published style is 27 px high at a short side of 640, which is 7 px once a photo is fitted to 224: too
small to be told from dirt. So the short side is brought to 416 (such a label: 17 px) and the picture is looked at in
overlapping squares of 224. Training and search cut alike. Knows no network.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SHORT_PX = 416
TILE_PX = 224
OVERLAP_PX = 32  # a label that one square cuts lies whole in the next
MOST = 24  # very long pictures are made smaller


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tiles:
    """The squares of one picture, (N, 224, 224, 3) uint8 RGB, with their corners on the scaled picture, and the scale."""

    pixels: NDArray[np.uint8]
    corners_xy_px: tuple[tuple[int, int], ...]
    scale: float


def cut(image: NDArray[np.uint8]) -> Tiles:
    """Return the squares of a picture (H, W, 3) uint8 RGB, in reading order."""
    scale = SHORT_PX / min(image.shape[:2])
    while _count(image.shape[0] * scale) * _count(image.shape[1] * scale) > MOST:
        scale *= 0.9
    height, width = (max(TILE_PX, round(side * scale)) for side in image.shape[:2])
    scaled = image
    if (height, width) != image.shape[:2]:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
    corners = tuple((x, y) for y in _starts(height) for x in _starts(width))
    pixels = np.stack([scaled[y : y + TILE_PX, x : x + TILE_PX] for x, y in corners])
    return Tiles(pixels=pixels, corners_xy_px=corners, scale=scale)


def _count(side: float) -> int:
    return max(1, math.ceil((max(side, TILE_PX) - OVERLAP_PX) / (TILE_PX - OVERLAP_PX)))


def _starts(side: int) -> list[int]:
    return [round(start) for start in np.linspace(0, side - TILE_PX, _count(side))]
