"""The picture a model sees: fitted and padded to its input size first, then marked with the catalog's ids.

A label that is legible at 1280 px is not at 224, so marks are placed and painted at the model's own size. Serving and
training call this same function; it is the training loop's hot path. Knows no model.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadRegions
from models.marks.marking import Style, mark_at
from models.marks.order import is_element
from models.marks.paint import Picture, check_image, draw_marks
from models.marks.placement import lay_out
from models.marks.points import choose_point
from models.marks.presets import MarkStyle, style_of
from models.marks.spots import Wish
from models.marks.types import Mark, Marking
from models.marks.visible import Crop, Visible
from models.regions import Regions, scale_crop

PAD_RGB = (127, 127, 127)
_LABEL_SHARE = 16 / 224  # digits below about 15 px at 224 could not be learnt
_MIN_LABEL_PX = 10
_CLOSE_MARGIN, _CLOSEST = 0.02, 0.5


def paint_for_model(
    image: Picture, regions: Regions, ids: Sequence[str], style: Style, size_px: int, *, close: bool = False
) -> Picture:
    """Return the picture, (size_px, size_px, 3) uint8, fitted, padded to a square with grey, and marked with `ids`.

    One id per region; regions with an empty mask get no mark. Labels are white on dark whatever the style, 16 px high
    at 224 and down to 10 where it is crowded. `close` shows only the part that `close_up` says. Raises BadImage or BadRegions
    when sizes or counts do not agree.
    """
    return mark_for_model(image, regions, ids, style, size_px, close=close)[0]


def paint_marking_for_model(image: Picture, regions: Regions, marking: Marking, size_px: int) -> Picture:
    """Return what `paint_for_model` returns with the ids, regions and style of a marking that is made already."""
    shown = regions.take([mark.region_index for mark in marking.marks])
    return paint_for_model(image, shown, [mark.id for mark in marking.marks], marking.style, size_px)


def mark_for_model(
    image: Picture, regions: Regions, ids: Sequence[str], style: Style, size_px: int, *, close: bool = False
) -> tuple[Picture, tuple[Mark, ...]]:
    """Return what `paint_for_model` returns, and its marks with all geometry in pixels of that square."""
    check_image(image, regions.size_hw)
    if len(ids) != len(regions):
        raise BadRegions(f"there must be one id per region, {len(regions)}; got {len(ids)}")
    style = style_of(style)
    x0, y0, x1, y1 = close_up(regions) if close else (0, 0, image.shape[1], image.shape[0])
    canvas, scale_xy, (left, top) = fit_square(image[y0:y1, x0:x1], size_px)
    offset_xy = left - x0 * scale_xy[0], top - y0 * scale_xy[1]
    crops: dict[int, Crop] = {}
    for i in range(len(regions)):
        origin, crop = regions.crop(i)
        if crop.size:
            crops[i] = scale_crop(origin, crop, scale_xy, offset_xy, (size_px, size_px))
    boxes = regions.boxes_xyxy_px.astype(np.float64) * (*scale_xy, *scale_xy) + (*offset_xy, *offset_xy)
    marks = _place(regions, boxes, list(crops.items()), ids, style, size_px)
    # The prompt calls the tags white on dark, and the tiny model learnt no others.
    dark = replace(style, label_colors="black", label_alpha=1.0)
    draw_marks(canvas, marks, dark, crops.__getitem__, line_px=max(1, round(size_px / 224)))
    return canvas, marks


def close_up(regions: Regions) -> tuple[int, int, int, int]:
    """Return the part of a picture in which all its regions are seen as large as they can be: x0, y0, x1, y1 in pixels, half-open.

    A square with a margin round them, moved or cut to stay in the picture; never smaller than half the picture's longer side,
    which is twice the size. The whole picture where there are no regions, or nothing to gain.
    """
    size_wh = regions.size_hw[::-1]
    if not len(regions):
        return 0, 0, *size_wh
    boxes = regions.boxes_xyxy_px.astype(np.float64)
    first, last = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = max(float((last - first).max()) * (1 + 2 * _CLOSE_MARGIN), _CLOSEST * max(size_wh))
    (x0, x1), (y0, y1) = (
        _span(middle, side, length) for middle, length in zip((first + last) / 2, size_wh, strict=True)
    )
    return x0, y0, x1, y1


def _span(middle: float, side: float, length: int) -> tuple[int, int]:
    """A stretch as long as `side` about `middle`, within 0 and `length`."""
    if side >= length:
        return 0, length
    first = min(max(0.0, middle - side / 2), length - side)
    return math.floor(first), min(length, math.ceil(first + side))


def fit_square(image: Picture, size_px: int) -> tuple[Picture, tuple[float, float], tuple[float, float]]:
    """Return the fitted and padded square, and the x, y scale and offset that map the image's pixels into it."""
    height, width = image.shape[:2]
    ratio = size_px / max(height, width)
    w, h = max(1, round(width * ratio)), max(1, round(height * ratio))
    canvas = np.empty((size_px, size_px, 3), np.uint8)
    canvas[...] = PAD_RGB
    left, top = (size_px - w) // 2, (size_px - h) // 2
    if (h, w) != (height, width):
        image = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
    canvas[top : top + h, left : left + w] = image
    return canvas, (w / width, h / height), (float(left), float(top))


def _place(
    regions: Regions,
    boxes: NDArray[np.float64],
    crops: Sequence[tuple[int, Crop]],
    ids: Sequence[str],
    style: MarkStyle,
    size_px: int,
) -> tuple[Mark, ...]:
    areas = [int(np.count_nonzero(crop)) for _, (_, crop) in crops]
    visible = Visible((size_px, size_px), areas, lambda k: crops[k][1])
    parts = [visible.part(k) for k in range(len(crops))]
    height = max(_MIN_LABEL_PX, round(_LABEL_SHARE * size_px))
    wishes = [
        Wish(
            text=ids[i],
            height_px=height,
            element=style.off_centre or (style.spare_content and is_element(regions, i)),
        )
        for i, _ in crops
    ]
    spots = lay_out(visible, parts, wishes, min_height_px=_MIN_LABEL_PX)
    labels = np.asarray([spot.rect for spot in spots], np.int64).reshape(-1, 4)
    marks = []
    for k, (i, _) in enumerate(crops):
        x0, y0, x1, y1 = boxes[i].tolist()
        point, occluded = choose_point(visible, parts[k], k, labels)
        marks.append(
            mark_at(
                spots[k],
                wishes[k],
                style,
                regions,
                i,
                bbox=(x0, y0, x1, y1),
                area_px=areas[k],
                point=point,
                occluded=occluded,
            )
        )
    return tuple(marks)
