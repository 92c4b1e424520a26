"""Finds the visible boxes of interface widgets: flat rectangles and discs, coloured or underlined text, small icons.

Used by `models.segmenters.gui`. Pure OpenCV on one working copy; it never reads text (it is told where text is) and
does not decide what becomes a mark. Sizes are in `em`, the median height of a text line box, so that any pixel
density works.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box, TextLine

Shape = Literal["rect", "pill", "disc"]
Tick = Literal["checkbox", "radio", "switch"]

# Neighbouring pixels that differ by more than this are an edge: page gradients step by 1-2, pale fields by 5 and more.
_EDGE_STEP = 3
# Ink this far from grey is coloured text; anti-aliased black text stays under 30.
_LINK_CHROMA = 60


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InkSpan:
    """A stretch of a text line whose ink is coloured or underlined."""

    bbox_xyxy_px: Box
    text: str
    color_rgb: tuple[int, int, int]
    underlined: bool
    whole_line: bool


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
        color = _median_color(image[y : y + h, x : x + w][mask > 0])
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
    around = _ring_color(image, (x0 - 3, y0 - 3, x1 + 3, y1 + 3), inset)
    rings = [_ring_color(image, (x0 - d, y0 - d, x1 + d, y1 + d), inset) for d in (0, 1)]
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


def _ring_color(image: NDArray[np.uint8], box: tuple[int, int, int, int], inset: int) -> tuple[int, int, int]:
    """Median colour along the sides of a box, corners left out, as far as they lie in the image."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    xs = slice(max(x0 + inset, 0), max(min(x1 - inset, width), 1))
    ys = slice(max(y0 + inset, 0), max(min(y1 - inset, height), 1))
    sides = [image[y, xs] for y in (y0, y1 - 1) if 0 <= y < height]
    sides += [image[ys, x] for x in (x0, x1 - 1) if 0 <= x < width]
    pixels = np.concatenate(sides) if sides else image[:1, :1].reshape(-1, 3)
    return _median_color(pixels) if len(pixels) else (255, 255, 255)


def find_ink_spans(image: NDArray[np.uint8], line: TextLine) -> list[InkSpan]:
    """Return the coloured or underlined stretches of a text line, left to right."""
    x0, y0, x1, y1 = (int(value) for value in line.bbox_xyxy_px)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.shape[0] < 5 or crop.shape[1] < 5:
        return []
    paper = np.asarray(_paper_color(crop), np.int16)
    ink = np.abs(crop - paper).max(axis=2)
    if ink.max() < 40:
        return []
    solid = ink > 0.55 * np.percentile(ink[ink > 25], 95)
    chroma = (crop.max(axis=2) - crop.min(axis=2)) - int(paper.max() - paper.min())
    colored = solid & (chroma > _LINK_CHROMA)
    underline, strokes = _underline_columns(solid)
    joined = _close_gaps(colored.any(axis=0) | underline, 0.45 * line.height_px)
    if underline.any():
        # Within one link the stroke runs on under the spaces; two links side by side leave bare paper between them.
        letters = solid if not colored.any() else colored
        joined &= _close_gaps(letters.any(axis=0) | strokes, 0.125 * line.height_px)
    solid_columns = _close_gaps(solid.any(axis=0), 0.45 * line.height_px)
    spans = []
    for left, right in _runs(joined):
        own = solid[:, left:right]
        lined = bool(underline[left:right].mean() > 0.7)
        if right - left < 0.6 * line.height_px or (not lined and colored[:, left:right].sum() < 0.5 * own.sum()):
            continue
        rows = np.flatnonzero(own.any(axis=1))
        text = line.slice_text(x0 + left - 1, x0 + right + 1)
        if not text:
            continue
        spans.append(
            InkSpan(
                bbox_xyxy_px=(float(x0 + left), float(y0 + rows[0]), float(x0 + right), float(y0 + rows[-1] + 1)),
                text=text,
                color_rgb=_median_color(image[y0:y1, x0 + left : x0 + right][own]),
                underlined=lined,
                whole_line=bool(right - left >= 0.93 * max(int(solid_columns.sum()), 1)),
            )
        )
    return spans


def ink_box(image: NDArray[np.uint8], box: Box) -> Box:
    """Shrink a text box to its ink; the detector pads lines by about 3 pixels."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.size == 0:
        return box
    ink = np.abs(crop - np.asarray(_paper_color(crop), np.int16)).max(axis=2)
    if ink.max() < 40:
        return box
    rows, columns = np.nonzero(ink > 0.5 * ink.max())
    return float(x0 + columns.min()), float(y0 + rows.min()), float(x0 + columns.max() + 1), float(y0 + rows.max() + 1)


def blank_columns(image: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
    """Return for each column of a text box whether it holds no ink, (width,) bool."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.size == 0:
        return np.zeros(max(x1 - x0, 0), np.bool_)
    ink = np.abs(crop - np.asarray(_paper_color(crop), np.int16)).max(axis=2)
    return np.asarray(~(ink > 0.4 * max(int(ink.max()), 1)).any(axis=0), np.bool_)


def ink_color(image: NDArray[np.uint8], box: Box) -> tuple[int, int, int]:
    """Median colour of the pixels of a text box that stand out most from its background."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[y0:y1, x0:x1]
    if crop.size == 0:
        return 0, 0, 0
    ink = np.abs(crop.astype(np.int16) - np.asarray(_paper_color(crop.astype(np.int16)), np.int16)).max(axis=2)
    return _median_color(crop[ink >= 0.7 * ink.max()])


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
    ink = np.abs(crop - np.asarray(_paper_color(crop), np.int16)).max(axis=2) > 60
    high = line.height_px
    found: list[tuple[Box, Tick]] = []
    for left, right in _runs(ink.any(axis=0)):
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
    return len(_runs(np.asarray(along.any(axis=0), np.bool_))) == 3


def _underline_columns(solid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Columns under which a long horizontal stroke runs, gaps for descenders filled, and those of the stroke alone.

    A border that runs on past the letters does not count.
    """
    height, width = solid.shape
    found, strokes = np.zeros(width, np.bool_), np.zeros(width, np.bool_)
    letters = np.flatnonzero(solid[: round(0.6 * height)].any(axis=0))
    if not len(letters):
        return found, strokes
    for row in solid[height // 2 :]:
        for left, right in _runs(_close_gaps(row, 0.3 * height)):  # descenders interrupt an underline (skip-ink)
            unbroken = max((end - start for start, end in _runs(row[left:right])), default=0)
            beyond = left < letters[0] - 2 or right > letters[-1] + 3
            # Serif feet leave a gap after every letter; an underline runs on for at least three letters.
            if not beyond and unbroken >= 0.8 * height and row[left:right].mean() > 0.7:
                found[left:right] = True
                strokes[left:right] |= row[left:right]
    return found, strokes


def _close_gaps(columns: NDArray[np.bool_], gap_px: float) -> NDArray[np.bool_]:
    """Fill gaps of at most `gap_px` between set columns."""
    closed = columns.copy()
    set_at = np.flatnonzero(columns)
    for left, right in pairwise(set_at.tolist()):
        if right - left - 1 <= gap_px:
            closed[left:right] = True
    return closed


def _runs(columns: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open runs of set columns."""
    padded = np.concatenate(([False], columns, [False]))
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(left), int(right)) for left, right in zip(changes[::2], changes[1::2], strict=True)]


def _channel_max(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Largest channel of (H, W, 3); three times faster than a reduction over the short last axis."""
    merged: NDArray[np.uint8] = np.maximum(np.maximum(pixels[:, :, 0], pixels[:, :, 1]), pixels[:, :, 2])
    return merged


def _paper_color(crop: NDArray[np.int16]) -> tuple[int, int, int]:
    """Background of a text crop: the most frequent colour, in steps of 8."""
    codes = (crop.reshape(-1, 3) // 8).astype(np.int32) @ np.array([1024, 32, 1], np.int32)
    common = np.bincount(codes).argmax()
    return _median_color(crop.reshape(-1, 3)[codes == common])


def _median_color(pixels: NDArray[np.uint8] | NDArray[np.int16]) -> tuple[int, int, int]:
    """Per-channel median of (N, 3) pixels."""
    red, green, blue = np.median(pixels.reshape(-1, 3), axis=0)
    return int(red), int(green), int(blue)


def color_distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    """Largest channel difference of two colours."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
