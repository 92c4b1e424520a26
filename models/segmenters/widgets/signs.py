"""Finds small signs: icons, sliders, tick boxes, radio buttons and switches, by their edges and outlines.

Pure OpenCV; sizes are in `em`, the median height of a text line box.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box, TextLine
from models.segmenters.widgets.colors import paper_color, runs

Tick = Literal["checkbox", "radio", "switch"]


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


def find_ticks(image: NDArray[np.uint8], line: TextLine) -> list[tuple[Box, Tick]]:
    """Return the tick boxes and radio buttons that stand in a text line's box before or between its letters."""
    x0, y0, x1, y1 = (int(value) for value in line.bbox_xyxy_px)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.shape[0] < 8 or not line.char_x_px:
        return []
    ink = np.abs(crop - np.asarray(paper_color(crop), np.int16)).max(axis=2) > 60
    high = line.height_px
    found: list[tuple[Box, Tick]] = []
    for left, right in runs(ink.any(axis=0)):
        rows = np.flatnonzero(ink[:, left:right].any(axis=1))
        tall = int(rows[-1] - rows[0] + 1)
        long = 1.5 * tall <= right - left <= 2.6 * tall
        if not (long or abs((right - left) - tall) <= 1) or not 0.4 * high <= tall <= 0.95 * high:
            continue
        box = (float(x0 + left), float(y0 + rows[0]), float(x0 + right), float(y0 + rows[-1] + 1))
        read = line.slice_text(box[0] - 1, box[2] + 1)
        shape = tick_shape(image, box) if not read or not read.isalnum() or not read.isascii() else None
        if shape is not None:
            found.append((box, shape))
    return found


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


def find_icons(edges: NDArray[np.bool_], covered: NDArray[np.bool_], em: float) -> list[Box]:
    """Return compact blobs of edges outside `covered` ((H, W) bool), half an em to four em in size."""
    free = (edges & ~covered).astype(np.uint8)
    reach = max(2, round(0.2 * em))
    closed = cv2.dilate(free, np.ones((reach, reach), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    boxes = []
    for label in range(1, len(stats)):
        x, y, w, h, _ = (int(value) for value in stats[label])
        if not 0.5 * em <= max(w, h) <= 4 * em:
            continue
        own = (labels[y : y + h, x : x + w] == label) & (free[y : y + h, x : x + w] > 0)
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        compact = min(w, h) >= 0.3 * em and max(w, h) <= 3.2 * min(w, h) and own.mean() >= 0.08
        if len(rows) and (compact or _is_three_dots(own)):
            left, top = float(x + columns[0]), float(y + rows[0])
            boxes.append((left - 1, top - 1, float(x + columns[-1] + 1), float(y + rows[-1] + 1)))
    return boxes


def find_sliders(edges: NDArray[np.bool_], covered: NDArray[np.bool_], em: float) -> list[Box]:
    """Return long thin blobs of edges outside `covered` with a thumb: a track that is thicker at one place."""
    free = (edges & ~covered).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(free, np.ones((3, 3), np.uint8)), connectivity=8)
    boxes = []
    for label in range(1, len(stats)):
        x, y, w, h, _ = (int(value) for value in stats[label])
        inside = x > 0 and y > 0 and x + w < free.shape[1] and y + h < free.shape[0]
        if not (inside and 0.35 * em <= h <= 1.3 * em and 4 * h <= w <= 25 * em):
            continue
        own = (labels[y : y + h, x : x + w] == label) & (free[y : y + h, x : x + w] > 0)
        rows = np.arange(h)[:, None]
        thickness = np.where(own, rows, -1).max(axis=0) - np.where(own, rows, h).min(axis=0) + 1
        track = float(np.median(thickness))
        thumb = thickness > 1.6 * track
        if track > 0 and 0 < thumb.sum() <= 2.5 * h and track <= 0.6 * h:
            boxes.append((float(x - 1), float(y - 1), float(x + w), float(y + h)))
    return boxes


def _is_three_dots(ink: NDArray[np.bool_]) -> bool:
    """True for three separate dots in a column or a row: the usual sign for "more"."""
    high, wide = ink.shape
    if not 2.2 * min(high, wide) <= max(high, wide) <= 7 * min(high, wide):
        return False
    along = ink if wide > high else ink.T
    return len(runs(np.asarray(along.any(axis=0), np.bool_))) == 3
