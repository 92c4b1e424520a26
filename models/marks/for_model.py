"""The picture a model sees: fitted and padded to its input size first, then marked with the catalog's ids.

A label that is legible at 1280 px is not at 224, so marks are placed and painted at the model's own size. Serving and
training call this same function; it is the training loop's hot path. Knows no model.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from models.errors import BadRegions
from models.marks.labels import color_of
from models.marks.marking import Style, leader_of
from models.marks.order import mark_number
from models.marks.paint import Picture, check_image, draw_marks
from models.marks.placement import Wish, lay_out
from models.marks.presets import MarkStyle, style_of
from models.marks.types import Mark
from models.marks.visible import Crop, Visible
from models.regions import Regions, scale_crop

PAD_RGB = (127, 127, 127)
_LABEL_SHARE = 16 / 224  # digits below about 15 px at 224 could not be learnt
_MIN_LABEL_PX = 10


def paint_for_model(image: Picture, regions: Regions, ids: Sequence[str], style: Style, size_px: int) -> Picture:
    """Return the picture, (size_px, size_px, 3) uint8, fitted, padded to a square with grey, and marked with `ids`.

    One id per region; regions with an empty mask get no mark. Labels are white on dark whatever the style, 16 px high
    at 224 and down to 10 where it is crowded. Raises BadImage or BadRegions when sizes or counts do not agree.
    """
    check_image(image, regions.size_hw)
    if len(ids) != len(regions):
        raise BadRegions(f"there must be one id per region, {len(regions)}; got {len(ids)}")
    style = style_of(style)
    canvas, scale_xy, offset_xy = fit_square(image, size_px)
    crops: list[Crop] = []
    indices: list[int] = []
    for i in range(len(regions)):
        origin, crop = regions.crop(i)
        if crop.size:
            crops.append(scale_crop(origin, crop, scale_xy, offset_xy, (size_px, size_px)))
            indices.append(i)
    if not indices:
        return canvas
    names = [ids[i] for i in indices]
    boxes = regions.boxes_xyxy_px.astype(np.float64) * (*scale_xy, *scale_xy) + (*offset_xy, *offset_xy)
    elements = [style.spare_content and (regions.roles[i] or regions.texts[i]) is not None for i in indices]
    _draw(canvas, crops, names, elements, boxes[indices].tolist(), style)
    return canvas


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


def _draw(
    canvas: Picture,
    crops: Sequence[Crop],
    ids: Sequence[str],
    elements: Sequence[bool],
    boxes: Sequence[list[float]],
    style: MarkStyle,
) -> None:
    size_px = canvas.shape[0]
    areas = [int(np.count_nonzero(crop)) for _, crop in crops]
    visible = Visible((size_px, size_px), areas, lambda k: crops[k])
    parts = [visible.part(k) for k in range(len(crops))]
    height = max(_MIN_LABEL_PX, round(_LABEL_SHARE * size_px))
    wishes = [Wish(text=name, height_px=height, element=e) for name, e in zip(ids, elements, strict=True)]
    spots = lay_out(visible, parts, wishes, min_height_px=_MIN_LABEL_PX)
    marks = []
    for k, box in enumerate(boxes):
        left, top, right, bottom = map(float, spots[k].rect)
        anchor = (parts[k].anchor_xy[0] + 0.5, parts[k].anchor_xy[1] + 0.5)
        marks.append(
            Mark(
                id=ids[k],
                region_index=k,
                region_id=str(k),
                bbox_xyxy_px=(box[0], box[1], box[2], box[3]),
                point_xy_px=anchor,
                occluded=False,
                label_xy_px=((left + right) / 2, (top + bottom) / 2),
                label_bbox_xyxy_px=(left, top, right, bottom),
                leader=leader_of(spots[k], parts[k]),
                area_px=areas[k],
                score=1.0,
                text=None,
                role=None,
                color_rgb=color_of((mark_number(ids[k], style.kind) or k + 1) - 1),
            )
        )
    dark = replace(style, label_colors="black", label_alpha=1.0)
    draw_marks(canvas, marks, dark, lambda k: crops[k], line_px=max(1, round(size_px / 224)))
