"""Finds plates: flat-coloured areas with a rectangular, pill-shaped or round outline. Buttons, fields, tick boxes, cards.

Pure OpenCV on one picture; it never reads text and does not decide what becomes a mark. Sizes are in `em`, the median
height of a text line box, so that any pixel density works.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box
from models.segmenters.widgets.colors import channel_max, color_distance, median_color, ring_color

Shape = Literal["rect", "pill", "disc"]

# Neighbouring pixels that differ by more than this are an edge: page gradients step by 1-2, pale fields by 5 and more.
_EDGE_STEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A flat-coloured area with a rectangular or round outline; a pill is a rectangle with half circles as short sides."""

    bbox_xyxy_px: Box
    shape: Shape
    fill: float  # share of the box that is the flat colour itself: 1.0 is empty
    color_rgb: tuple[int, int, int]
    around_rgb: tuple[int, int, int]
    outlined: bool  # a line in a third colour runs round it
    line_rgb: tuple[int, int, int]  # that line's colour


def edge_mask(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels that differ from their left or upper neighbour, (H, W) bool; compression noise is allowed for."""
    across = channel_max(cv2.absdiff(image[:, 1:], image[:, :-1]))
    down = channel_max(cv2.absdiff(image[1:], image[:-1]))
    noise = int(np.percentile(down[::3, ::3], 60)) if down.size else 0  # 0 on a clean screenshot, 1-3 on a JPEG
    step = _EDGE_STEP + 3 * noise
    edges = np.zeros(image.shape[:2], np.bool_)
    edges[:, 1:] |= across > step
    edges[1:, :] |= down > step
    return edges


def find_plates(image: NDArray[np.uint8], edges: NDArray[np.bool_], em: float) -> list[Plate]:
    """Return flat areas with a clear outline, at least a third of an em wide and high and under 60 % of the image."""
    height, width = edges.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~edges).astype(np.uint8), connectivity=4)
    smallest = max(5.0, 0.33 * em)
    plates = []
    for label in range(1, len(stats)):
        x, y, w, h, area = (int(value) for value in stats[label])
        if w < smallest or h < smallest or w * h > 0.6 * width * height or area < 0.12 * w * h:
            continue
        mask = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
        shape = _outline(mask)
        if shape is None:
            continue
        color = median_color(image[y : y + h, x : x + w][mask > 0])
        plates.append(_plate(image, (x, y, w, h), shape, area / (w * h), color))
    return plates


def _outline(mask: NDArray[np.uint8]) -> Shape | None:
    """Tell whether the filled outline of a component is a (rounded) rectangle, a disc or neither."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(mask), contours, -1, 1, cv2.FILLED)
    h, w = mask.shape
    share = float(filled.mean())
    band = 2
    sides = (
        filled[:band].max(axis=0).mean(),
        filled[-band:].max(axis=0).mean(),
        filled[:, :band].max(axis=1).mean(),
        filled[:, -band:].max(axis=1).mean(),
    )
    if w >= 1.4 * h and 0.8 <= share <= 0.97 and max(sides[2:]) <= 0.75 and min(sides[:2]) >= 0.45:
        return "pill"
    # Text that touches the border opens the outline there: four long sides are a rectangle all the same.
    if share >= 0.9 or (share >= 0.7 and min(sides) >= 0.72):
        return "rect"
    if 0.70 <= share <= 0.90 and 0.8 <= w / h <= 1.25:
        return "disc" if min(sides) >= 0.15 else None
    return None


def _plate(
    image: NDArray[np.uint8], xywh: tuple[int, int, int, int], shape: Shape, fill: float, color: tuple[int, int, int]
) -> Plate:
    """Grow a component by the pixel its left and upper edge lost, and look at what lies round it."""
    x, y, w, h = xywh
    height, width = image.shape[:2]
    x0, y0, x1, y1 = max(x - 1, 0), max(y - 1, 0), min(x + w, width), min(y + h, height)
    inset = min(w, h) // 4
    around = ring_color(image, (x0 - 3, y0 - 3, x1 + 3, y1 + 3), inset)
    rings = [ring_color(image, (x0 - d, y0 - d, x1 + d, y1 + d), inset) for d in (0, 1)]
    line = max(rings, key=lambda ring: min(color_distance(ring, color), color_distance(ring, around)))
    outlined = color_distance(line, color) > 12 and color_distance(line, around) > 12
    box = (float(x0), float(y0), float(x1), float(y1))
    if outlined:
        box = (float(max(x0 - 1, 0)), float(max(y0 - 1, 0)), float(min(x1 + 1, width)), float(min(y1 + 1, height)))
    return Plate(
        bbox_xyxy_px=box,
        shape=shape,
        fill=fill,
        color_rgb=color,
        around_rgb=around,
        outlined=outlined,
        line_rgb=line,
    )


def contrast(plate: Plate) -> int:
    """Largest channel difference between a plate and what lies round it."""
    return max(abs(a - b) for a, b in zip(plate.color_rgb, plate.around_rgb, strict=True))
