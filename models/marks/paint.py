"""Draws a marking on a picture: fills, contours and boxes, then leader lines, then labels.

Everything it needs is in the marks and regions, so a stored mark set can be drawn again, in another style's colours too.
Called by `mark`, `paint_for_model` and whoever renders an overlay. Decides no places.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadImage
from models.marks.labels import Rgb, label_ink, text_color
from models.marks.presets import MarkStyle
from models.marks.types import Mark, Marking
from models.marks.visible import CropOf
from models.regions import Regions

Picture = NDArray[np.uint8]  # (H, W, 3) RGB

_BLACK = (0, 0, 0)
_MIN_CONTOUR_PX = 10


def check_image(image: Picture, size_hw: tuple[int, int] | None = None) -> None:
    """Raise BadImage unless `image` is (H, W, 3) uint8 and, if `size_hw` is given, of that size."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise BadImage(f"an image must be a uint8 array of shape (H, W, 3); got {image.dtype} {image.shape}")
    if size_hw is not None and image.shape[:2] != tuple(size_hw):
        raise BadImage(f"the image must have the regions' size {tuple(size_hw)}; got {image.shape[:2]}")


def paint(image: Picture, regions: Regions, marking: Marking) -> Picture:
    """Return a copy of `image` (H, W, 3) uint8 RGB with the marking drawn on it; raises BadImage on another size."""
    check_image(image, regions.size_hw)
    canvas = np.array(image, np.uint8, order="C")
    draw_marks(canvas, marking.marks, marking.style, regions.crop)
    return canvas


def draw_marks(
    canvas: Picture, marks: Sequence[Mark], style: MarkStyle, crop_of: CropOf, line_px: int | None = None
) -> None:
    """Draw `marks` on `canvas` in place; `crop_of(mark.region_index)` gives a mark's pixels.

    Boxes stand around their region, so that the line does not cover the text inside; with a stated `line_px` (a model's
    picture, where a box is 1 px anyway) they stand on its edge.
    """
    line = line_px or max(1, round(min(canvas.shape[:2]) / (640 if style.fixed_label else 400)))
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
            _draw_leader(canvas, mark, line)
    for mark in marks:
        _draw_label(canvas, mark, style)


def _draw_mask(
    canvas: Picture, crop: tuple[tuple[int, int], NDArray[np.bool_]], color: Rgb, style: MarkStyle, line: int
) -> None:
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
        outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x0, y0))
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


def _pixel(x: float, y: float) -> tuple[int, int]:
    return int(x), int(y)


def _draw_label(canvas: Picture, mark: Mark, style: MarkStyle) -> None:
    x0, y0, x1, y1 = (round(v) for v in mark.label_bbox_xyxy_px)
    window = canvas[y0:y1, x0:x1]
    if 0 in window.shape:
        return
    ink = label_ink(mark.id, y1 - y0)
    if ink.shape != window.shape[:2]:
        ink = cv2.resize(ink, (window.shape[1], window.shape[0]), interpolation=cv2.INTER_AREA)
    background = mark.color_rgb if style.label_colors == "color" else _BLACK
    base: NDArray[np.float32] = np.asarray(background, np.float32)
    if style.label_alpha < 1:
        base = base * style.label_alpha + window * np.float32(1 - style.label_alpha)
    share = ink[:, :, None] * np.float32(1 / 255)
    ink_color = np.asarray(text_color(background), np.float32)
    window[...] = np.rint(base + (ink_color - base) * share).astype(np.uint8)
