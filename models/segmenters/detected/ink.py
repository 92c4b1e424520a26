"""Brings what is drawn in a box to one size, one grey and no ground, so that a small network can name it.

Used by `models.segmenters.detected.icons` and, on drawn icons, by `models.icons.train`: both must see the same. Pure OpenCV.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box

SIDE = 32
_MARGIN_PX = 3  # boxes are often tight round the ink
_STEP = 40  # of 255: less is shading
_FRAME = 0.86  # what spans this share of the box both ways may be a button's frame

Ink = NDArray[np.float32]  # (32, 32), 0 is ground


def ink_of(image: NDArray[np.uint8], box: Box) -> list[Ink]:
    """Return what is drawn in `box` of `image` ((H, W, 3) RGB): with all of it, and without what may be the button's frame.

    Empty where nothing is drawn or what is drawn goes on outside the box.
    """
    high, wide = image.shape[:2]
    x0, y0 = max(int(box[0]) - _MARGIN_PX, 0), max(int(box[1]) - _MARGIN_PX, 0)
    x1, y1 = min(int(np.ceil(box[2])) + _MARGIN_PX, wide), min(int(np.ceil(box[3])) + _MARGIN_PX, high)
    crop = image[y0:y1, x0:x1]
    if min(crop.shape[:2]) < 8:
        return []
    # A filled icon may cover most of its box: then what lies round it is the ground.
    edge = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    for ground in (_commonest(crop.reshape(-1, 3)), _commonest(edge)):
        step = np.abs(crop.astype(np.int16) - ground).max(axis=2)
        found = _parts(step, (box[2] - box[0], box[3] - box[1]))
        if found:
            return found
    return []


def _parts(step: NDArray[np.int16], size: tuple[float, float]) -> list[Ink]:
    """All parts that do not reach the edge, and those without what spans a box of `size` (width, height)."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats((step > _STEP).astype(np.uint8), connectivity=8)
    inner: list[int] = []
    frames: list[int] = []
    for part in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[part])
        at_edge = left == 0 or top == 0 or left + width == step.shape[1] or top + height == step.shape[0]
        if area < 2 or at_edge:
            continue
        spans = width >= _FRAME * size[0] and height >= _FRAME * size[1]
        (frames if spans else inner).append(part)
    kept = [[*inner, *frames]] if inner or frames else []
    kept += [inner] if inner and frames else []
    fitted = (_fitted(step, np.isin(parts, some)) for some in kept)
    return [one for one in fitted if one is not None]


def _commonest(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The commonest colour of pixels (N, 3)."""
    coarse = (pixels >> 3).astype(np.int32)
    codes = coarse[:, 0] << 10 | coarse[:, 1] << 5 | coarse[:, 2]
    common = np.bincount(codes).argmax()
    ground: NDArray[np.int16] = np.median(pixels[codes == common], axis=0).astype(np.int16)
    return ground


def _fitted(step: NDArray[np.int16], drawn: NDArray[np.bool_]) -> Ink | None:
    """The drawn part on a square of `SIDE`, its darkest 1; None where it is a speck."""
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if max(len(rows), len(columns)) < 5:
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    cut = np.where(near, step, 0)[top:bottom, left:right].astype(np.float32)
    scale = (SIDE - 4) / max(cut.shape)
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    ink = np.zeros((SIDE, SIDE), np.float32)
    y, x = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    ink[y : y + size[1], x : x + size[0]] = small / max(float(small.max()), 1.0)
    return ink
