"""Puts the steps together: choose, order, name, place, point, and colour the marks of one image.

`place` and `mark` are what the rest of the project calls; the steps are in the sibling modules.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.marks.labels import color_of
from models.marks.order import assign_ids, mark_number, most_useful, ordered
from models.marks.paint import Picture, check_image, paint
from models.marks.placement import Spot, Wish, lay_out
from models.marks.points import choose_point, keep_point
from models.marks.presets import MarkStyle, style_of
from models.marks.types import Box, Mark, Marking, Previous
from models.marks.visible import Part, Visible
from models.regions import Regions

Style = str | Mapping[str, Any] | MarkStyle


def mark(
    image: Picture,
    regions: Regions,
    style: Style = "markwise",
    previous: Previous | None = None,
    max_marks: int | None = None,
) -> tuple[Picture, Marking]:
    """Return the painted copy of `image` (H, W, 3) uint8 RGB and its marking; raises BadImage on another size."""
    check_image(image, regions.size_hw)
    marking = place(regions, style, max_marks=max_marks, previous=previous)
    return paint(image, regions, marking), marking


def place(
    regions: Regions, style: Style = "markwise", *, max_marks: int | None = None, previous: Previous | None = None
) -> Marking:
    """Return the marks of `regions`, without pixels.

    At most `max_marks` (default: the style's) regions are marked, the best by score and then area; empty ones never.
    Raises BadInput on an unknown style.
    """
    style = style_of(style)
    areas = [regions.area_px(i) for i in range(len(regions))]
    chosen = most_useful(regions, areas, style.max_marks if max_marks is None else max_marks)
    visible = Visible(regions.size_hw, [areas[i] for i in chosen], lambda k: regions.crop(chosen[k]))
    if style.min_area_px:
        chosen, visible = _drop_small(regions, areas, chosen, visible, style)
    order = ordered(regions, chosen, areas, style.order)
    ids = assign_ids(regions, order, style, previous)
    slots = {index: k for k, index in enumerate(chosen)}
    ids_by_slot = [""] * len(chosen)
    for index, name in zip(order, ids, strict=True):
        ids_by_slot[slots[index]] = name
    parts = [visible.part(k) for k in range(len(chosen))]
    wishes = [wish_of(style, regions, index, ids_by_slot[k], parts[k]) for k, index in enumerate(chosen)]
    placed = _compose(visible, parts, wishes, regions.take(chosen), style)
    marks = tuple(replace(placed[slots[index]], region_index=index) for index in order)
    return Marking(marks=marks, omitted_regions=len(regions) - len(marks), style=style)


def _drop_small(
    regions: Regions, areas: Sequence[int], chosen: list[int], visible: Visible, style: MarkStyle
) -> tuple[list[int], Visible]:
    """Drop the regions of which smaller ones leave too little, as the som-llava program does, counting equals once."""
    scale = 640 / min(regions.size_hw)
    own = np.bincount(visible.owner[visible.owner >= 0].ravel(), minlength=len(chosen)) * scale * scale
    kept = [index for k, index in enumerate(chosen) if own[k] >= style.min_area_px]
    return kept, Visible(regions.size_hw, [areas[i] for i in kept], lambda k: regions.crop(kept[k]))


def wish_of(style: MarkStyle, regions: Regions, index: int, name: str, part: Part) -> Wish:
    """Return what the label `name` of region `index` needs."""
    element = style.spare_content and (regions.roles[index] is not None or regions.texts[index] is not None)
    point = regions.points_xy_px[index]
    height = _label_height(style, part, regions.size_hw, element=element)
    return Wish(text=name, height_px=height, element=element, point_xy_px=point)


def _label_height(style: MarkStyle, part: Part, size_hw: tuple[int, int], *, element: bool) -> int:
    """Return the label's height in pixels: from the picture's size, less on a small region, never below legible."""
    relative = min(size_hw) / 640
    if style.fixed_label:
        return max(9, round(style.label_height_px * relative))
    # Square root: a 320 px thumbnail needs relatively larger labels than a 4K screen.
    full = style.label_height_px * math.sqrt(relative)
    room = 0.36 * min(part.distance.shape) * part.stride if element else 0.5 * math.sqrt(part.area_px)
    return max(11, round(min(full, max(0.6 * full, room))))


def _compose(
    visible: Visible, parts: Sequence[Part], wishes: Sequence[Wish], regions: Regions, style: MarkStyle
) -> list[Mark]:
    """Return one mark per region of `regions` (as many as parts): labels laid out together, then points."""
    spots = lay_out(visible, parts, wishes)
    labels = np.asarray([spot.rect for spot in spots], np.int64).reshape(-1, 4)
    marks = []
    for k, (part, spot, wish) in enumerate(zip(parts, spots, wishes, strict=True)):
        x0, y0, x1, y1 = regions.boxes_xyxy_px[k].tolist()
        kept = None if wish.point_xy_px is None else keep_point(visible, k, regions.crop(k), wish.point_xy_px, labels)
        point, occluded = kept or choose_point(visible, part, k, labels)
        left, top, right, bottom = map(float, spot.rect)
        marks.append(
            Mark(
                id=wish.text,
                region_index=k,
                region_id=regions.ids[k],
                bbox_xyxy_px=(x0, y0, x1, y1),
                point_xy_px=point,
                occluded=occluded,
                label_xy_px=((left + right) / 2, (top + bottom) / 2),
                label_bbox_xyxy_px=(left, top, right, bottom),
                leader=leader_of(spot, part),
                area_px=regions.area_px(k),
                score=float(regions.scores[k]),
                text=regions.texts[k],
                role=regions.roles[k],
                color_rgb=color_of(max(0, mark_number(wish.text, style.kind) - 1)),
            )
        )
    return marks


def leader_of(spot: Spot, part: Part) -> Box | None:
    """Return the line from the label's edge to the part's nearest pixel, or None for a label on its region."""
    if not spot.off_region:
        return None
    left, top, right, bottom = spot.rect
    ys, xs = np.nonzero(part.distance > 0)
    px, py = part.origin_xy[0] + xs * part.stride, part.origin_xy[1] + ys * part.stride
    # Measured from the label's middle: of many equally near pixels this takes the one opposite.
    away = np.maximum(left - px, px - right + 1).clip(0) ** 2 + np.maximum(top - py, py - bottom + 1).clip(0) ** 2
    off_middle = (px - (left + right) / 2) ** 2 + (py - (top + bottom) / 2) ** 2
    nearest = int(np.argmin(away + 1e-3 * off_middle))
    x, y = float(px[nearest]) + 0.5, float(py[nearest]) + 0.5
    return (min(max(x, left + 0.5), right - 0.5), min(max(y, top + 0.5), bottom - 0.5), x, y)
