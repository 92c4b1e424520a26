"""Tells small signs by their pixels: the outlines of tick boxes, radio buttons and switches, a list's arrow; and edges.

Used by `models.segmenters.detected`. Pure OpenCV; sizes are in `em`, the median height of a text line box.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box

Tick = Literal["checkbox", "radio", "switch"]

# Neighbouring pixels that differ by more than this are an edge: page gradients step by 1-2, pale fields by 5 and more.
_EDGE_STEP = 3


def edge_mask(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels that differ from their left or upper neighbour, (H, W) bool; compression noise is allowed for."""
    across = _channel_max(cv2.absdiff(image[:, 1:], image[:, :-1]))
    down = _channel_max(cv2.absdiff(image[1:], image[:-1]))
    noise = int(np.percentile(down[::3, ::3], 60)) if down.size else 0  # 0 on a clean screenshot, 1-3 on a JPEG
    step = _EDGE_STEP + 3 * noise
    edges = np.zeros(image.shape[:2], np.bool_)
    edges[:, 1:] |= across > step
    edges[1:, :] |= down > step
    return edges


def tick_shape(image: NDArray[np.uint8], box: Box) -> Tick | None:
    """Tell whether the ink in a box has the outline of a tick box, radio button or switch: clean square, circle, pill."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[max(y0 - 2, 0) : y1 + 2, max(x0 - 2, 0) : x1 + 2].astype(np.int16)
    if min(crop.shape[:2]) < 8:
        return None
    ring = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    ink = (np.abs(crop - np.median(ring, axis=0)).max(axis=2) > 40).astype(np.uint8)
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea, default=np.zeros((1, 1, 2), np.int32))
    x, y, width, height = cv2.boundingRect(contour)
    long = 1.5 * height <= width <= 2.6 * height
    if not (long or abs(width - height) <= 1) or min(width, height) < 8:
        return None
    filled = cv2.drawContours(np.zeros_like(ink), [contour], -1, 1, cv2.FILLED)
    if int(ink.sum()) > int(filled.sum()) + 3:
        return None  # something else lies in the box
    flips = (filled[:, ::-1], filled[::-1])
    if any(float((filled != flip).mean()) >= 0.06 for flip in flips):
        return None
    share = float(filled.sum()) / (width * height)
    if long:
        corners = filled[[y, y, y + height - 1, y + height - 1], [x, x + width - 1, x, x + width - 1]]
        return "switch" if share >= 0.85 and not corners.any() else None
    return "checkbox" if share >= 0.93 else "radio" if 0.74 <= share <= 0.88 else None


def ends_in_arrow(edges: NDArray[np.bool_], box: Box, em: float, text_right_px: float | None) -> bool:
    """True if a small sign wider than high, like an arrow down, stands at a field's right end, behind its text."""
    x0, y0, x1, y1 = (int(value) for value in box)
    left = max(x1 - round(1.7 * em), x0 + 3, int(text_right_px or 0))
    sign = edges[y0 + 4 : y1 - 3, left : x1 - 3]
    if sign.size == 0 or not sign.any():
        return False
    rows, columns = np.flatnonzero(sign.any(axis=1)), np.flatnonzero(sign.any(axis=0))
    high, wide = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    return bool(columns[0] > 0 and 3 <= high <= 0.7 * em and 1.15 * high <= wide <= 3 * high)


def _channel_max(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Largest channel of (H, W, 3); three times faster than a reduction over the short last axis."""
    merged: NDArray[np.uint8] = np.maximum(np.maximum(pixels[:, :, 0], pixels[:, :, 1]), pixels[:, :, 2])
    return merged
