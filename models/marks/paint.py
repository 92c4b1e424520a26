"""Draws a marking on a picture: fills, contours and boxes, then leader lines, then labels.

Everything it needs is in the marks and regions, so a stored mark set can be drawn again, in another style's colours too.
Called by `mark`, `paint_for_model` and whoever renders an overlay. Decides no places.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadImage
from models.marks.labels import Rgb, compose, label_ink, label_pixels, label_width
from models.marks.presets import MarkStyle
from models.marks.types import Mark, Marking
from models.marks.visible import Crop, CropOf, Visible
from models.regions import Regions

Picture = NDArray[np.uint8]  # (H, W, 3) RGB

_BLACK = (0, 0, 0)
_MIN_CONTOUR_PX = 10
_BAND_ROWS = 256


def check_image(image: Picture, size_hw: tuple[int, int] | None = None) -> None:
    """Raise BadImage unless `image` is (H, W, 3) uint8 and, if `size_hw` is given, of that size."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise BadImage(f"an image must be a uint8 array of shape (H, W, 3); got {image.dtype} {image.shape}")
    if size_hw is not None and image.shape[:2] != tuple(size_hw):
        raise BadImage(f"the image must have the regions' size {tuple(size_hw)}; got {image.shape[:2]}")


def paint(image: Picture, regions: Regions, marking: Marking, visible: Visible | None = None) -> Picture:
    """Return a copy of `image` (H, W, 3) uint8 RGB with the marking drawn on it; raises BadImage on another size.

    `visible` is the ownership map of the marks' regions, mark k being region k, where the caller has it already.
    """
    check_image(image, regions.size_hw)
    canvas = np.array(image, np.uint8, order="C")
    style, marks = marking.style, marking.marks
    if style.overlap == "topmost" and {"mask", "contour"} & set(style.draw):
        if visible is None:
            visible = Visible(
                regions.size_hw, [mark.area_px for mark in marks], lambda k: regions.crop(marks[k].region_index)
            )
        draw_owned(canvas, visible, [mark.color_rgb for mark in marks], style, _line_px(canvas, style))
        style = replace(style, draw=tuple(part for part in style.draw if part not in {"mask", "contour"}))
    draw_marks(canvas, marks, style, regions.crop)
    return canvas


def draw_owned(canvas: Picture, visible: Visible, colors: Sequence[Rgb], style: MarkStyle, line: int) -> None:
    """Fill and outline what each region owns, in place: every pixel gets one region's colour, however many overlap.

    Half of a line between two regions has the one's colour and half the other's. A region that smaller ones hide
    entirely is outlined below them.
    """
    kernel = np.ones((2 * max(1, line // 2) + 1,) * 2, np.uint8)
    margin = kernel.shape[0] // 2
    for k in visible.buried() if "contour" in style.draw else ():
        _outline(canvas, visible.crop_of(k), colors[k], 1)
    height = canvas.shape[0]
    for top in range(0, height, _BAND_ROWS):  # in bands, so that a 4K screen needs no second picture in memory
        bottom, above = min(height, top + _BAND_ROWS), max(0, top - margin)
        around, window = visible.owner[above : bottom + margin], canvas[top:bottom]
        own = slice(top - above, top - above + len(window))
        painted, owned = _colored(around[own], colors), around[own] >= 0
        if "mask" in style.draw and style.alpha > 0:
            cv2.copyTo(cv2.addWeighted(window, 1 - style.alpha, painted, style.alpha, 0), owned.view(np.uint8), window)
        if "contour" in style.draw:
            edge = cv2.morphologyEx(around, cv2.MORPH_GRADIENT, kernel)[own] != 0
            cv2.copyTo(painted, (edge & owned).view(np.uint8), window)


def _colored(owner: NDArray[np.int16] | NDArray[np.int32], colors: Sequence[Rgb]) -> Picture:
    """Return the colour of each pixel's owner, (h, w, 3); anything where there is none."""
    table = np.zeros((max(256, len(colors) + 1), 3), np.uint8)  # the last entry answers for pixels of no region
    table[: len(colors)] = np.asarray(colors, np.uint8).reshape(-1, 3)
    if len(colors) < 256:  # twice as fast as an index
        return np.asarray(cv2.applyColorMap(owner.astype(np.uint8), table.reshape(256, 1, 3)), np.uint8)
    return table.take(owner, axis=0, mode="wrap")


def draw_marks(
    canvas: Picture, marks: Sequence[Mark], style: MarkStyle, crop_of: CropOf, line_px: int | None = None
) -> None:
    """Draw `marks` on `canvas` in place; `crop_of(mark.region_index)` gives a mark's pixels.

    Boxes stand around their region, so that the line does not cover the text inside. With a stated `line_px` (a small
    model's picture, which is frozen) they stand on its edge, and leaders are plain lines.
    """
    line = line_px or _line_px(canvas, style)
    outset = line if line_px is None else 0
    for mark in sorted(marks, key=lambda mark: -mark.area_px):  # small regions over large ones
        if "mask" in style.draw or "contour" in style.draw:
            _draw_mask(canvas, crop_of(mark.region_index), mark.color_rgb, style, line)
        if "box" in style.draw:
            _draw_box(canvas, mark, line, outset)
    if "mark" not in style.draw:
        return
    for mark in marks:
        if mark.leader is not None:
            (_draw_pointer if line_px is None else _draw_leader)(canvas, mark, line)
    for mark in marks:
        _draw_label(canvas, mark, style)


def _line_px(canvas: Picture, style: MarkStyle) -> int:
    short: int = min(canvas.shape[0], canvas.shape[1])
    return max(1, round(short / (640 if style.fixed_label else 400)))


def _draw_mask(canvas: Picture, crop: Crop, color: Rgb, style: MarkStyle, line: int) -> None:
    (x0, y0), mask = crop
    if not mask.size:
        return
    window = canvas[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
    if "mask" in style.draw and style.alpha > 0:
        levels = np.arange(256, dtype=np.float32)[:, None] * np.float32(1 - style.alpha)
        table = np.rint(levels + np.asarray(color, np.float32) * np.float32(style.alpha)).astype(np.uint8)
        # A table and a masked copy: a weighted sum of whole windows took four times as long.
        cv2.copyTo(cv2.LUT(window, table[None]), mask.view(np.uint8), window)
    if "contour" in style.draw:
        _outline(canvas, crop, color, line)


def _outline(canvas: Picture, crop: Crop, color: Rgb, line: int) -> None:
    origin, mask = crop
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=origin)
    kept = [outline for outline in outlines if cv2.contourArea(outline) >= _MIN_CONTOUR_PX]
    cv2.drawContours(canvas, kept, -1, color, line)


def _draw_box(canvas: Picture, mark: Mark, line: int, outset: int) -> None:
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = (round(v) for v in mark.bbox_xyxy_px)
    start = (max(0, x0 - outset), max(0, y0 - outset))
    end = (min(width - 1, max(x0, x1 - 1) + outset), min(height - 1, max(y0, y1 - 1) + outset))
    cv2.rectangle(canvas, start, end, mark.color_rgb, line)


def _draw_leader(canvas: Picture, mark: Mark, line: int) -> None:
    if mark.leader is None:
        return
    start, end = _pixel(mark.leader[0], mark.leader[1]), _pixel(mark.leader[2], mark.leader[3])
    cv2.line(canvas, start, end, _BLACK, line + 2, cv2.LINE_AA)
    cv2.line(canvas, start, end, mark.color_rgb, line, cv2.LINE_AA)


def _draw_pointer(canvas: Picture, mark: Mark, line: int) -> None:
    """Draw a near label's leader as a wedge, a far one's as a line that ends in a dot."""
    if mark.leader is None:
        return
    x0, y0, x1, y1 = mark.leader
    height = mark.label_bbox_xyxy_px[3] - mark.label_bbox_xyxy_px[1]
    length = math.hypot(x1 - x0, y1 - y0)
    if length > 0.8 * height:
        _draw_leader(canvas, mark, line)
        cv2.circle(canvas, _pixel(x1, y1), line + 2, _BLACK, -1, cv2.LINE_AA)
        cv2.circle(canvas, _pixel(x1, y1), line + 1, mark.color_rgb, -1, cv2.LINE_AA)
        return
    across = 0.2 * height / max(length, 1.0)
    side_x, side_y = (y1 - y0) * across, (x0 - x1) * across
    wedge = np.array([(x0 - side_x, y0 - side_y), (x0 + side_x, y0 + side_y), (x1, y1)])
    cv2.fillConvexPoly(canvas, np.rint(16 * wedge - 8).astype(np.int32), mark.color_rgb, cv2.LINE_AA, 4)


def _pixel(x: float, y: float) -> tuple[int, int]:
    return int(x), int(y)


def _draw_label(canvas: Picture, mark: Mark, style: MarkStyle) -> None:
    x0, y0, x1, y1 = (round(v) for v in mark.label_bbox_xyxy_px)
    window = canvas[y0:y1, x0:x1]
    if 0 in window.shape:
        return
    background = mark.color_rgb if style.label_colors == "color" else _BLACK
    if style.label_alpha == 1 and label_width(mark.id, y1 - y0) == window.shape[1]:
        window[...] = label_pixels(mark.id, y1 - y0, background)
        return
    ink = label_ink(mark.id, y1 - y0)
    if ink.shape != window.shape[:2]:
        ink = cv2.resize(ink, (window.shape[1], window.shape[0]), interpolation=cv2.INTER_AREA)
    base = np.asarray(background, np.float32) * style.label_alpha + window * np.float32(1 - style.label_alpha)
    window[...] = compose(ink, base, background)
