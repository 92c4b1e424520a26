"""Puts the steps together: choose, order, name, place, point, and colour the marks of one image.

`place` and `mark` are what the rest of the project calls; the steps are in the sibling modules.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.errors import BadInput
from models.marks.labels import color_of
from models.marks.order import assign_ids, mark_number, most_useful, ordered
from models.marks.paint import Picture, check_image, paint
from models.marks.placement import Spot, Wish, lay_out
from models.marks.points import choose_point, keep_point
from models.marks.presets import MarkStyle, style_of
from models.marks.types import Box, Mark, Marking, Previous
from models.marks.visible import Part, Visible
from models.regions import Point, Regions

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
    Raises BadInput on an unknown style or max_marks < 1.
    """
    style = style_of(style)
    if max_marks is not None and max_marks < 1:
        raise BadInput(f"max_marks must be at least 1; got {max_marks}")
    areas = [regions.area_px(i) for i in range(len(regions))]
    useful = most_useful(regions, areas, style.max_marks if max_marks is None else max_marks)
    chosen = ordered(regions, useful, areas, style.order)
    visible = Visible(regions.size_hw, [areas[i] for i in chosen], lambda k: regions.crop(chosen[k]))
    if style.min_area_px:
        kept = [chosen[k] for k in _large_enough(visible, len(chosen), style)]
        chosen, visible = kept, Visible(regions.size_hw, [areas[i] for i in kept], lambda k: regions.crop(kept[k]))
    ids = assign_ids(regions, chosen, style, previous)
    parts = [visible.part(k) for k in range(len(chosen))]
    wishes = [_wish(style, regions, i, name, part) for i, name, part in zip(chosen, ids, parts, strict=True)]
    marks = _compose(visible, parts, wishes, regions, chosen, style)
    marks.sort(key=lambda mark: mark_number(mark.id, style.kind))
    return Marking(marks=tuple(marks), omitted_regions=len(regions) - len(marks), style=style)


def _large_enough(visible: Visible, count: int, style: MarkStyle) -> list[int]:
    """Return the regions of which smaller ones leave enough, as the som-llava program does, counting equals once."""
    own = np.bincount(visible.owner[visible.owner >= 0].ravel(), minlength=count)
    least = style.min_area_px * (min(visible.size_hw) / 640) ** 2
    return [k for k in range(count) if own[k] >= least]


def is_element(regions: Regions, index: int) -> bool:
    """Return whether a region is an interface element: it has a role or text that a label must not hide."""
    return regions.roles[index] is not None or regions.texts[index] is not None


def _wish(style: MarkStyle, regions: Regions, index: int, name: str, part: Part) -> Wish:
    element = style.spare_content and is_element(regions, index)
    height = _label_height(style, part, regions.size_hw, element=element)
    return Wish(text=name, height_px=height, element=element, point_xy_px=regions.points_xy_px[index])


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
    visible: Visible,
    parts: Sequence[Part],
    wishes: Sequence[Wish],
    regions: Regions,
    chosen: Sequence[int],
    style: MarkStyle,
) -> list[Mark]:
    """Return one mark per part (part k is region `chosen[k]`): labels laid out together, then points."""
    spots = lay_out(visible, parts, wishes)
    labels = np.asarray([spot.rect for spot in spots], np.int64).reshape(-1, 4)
    marks = []
    for k, index in enumerate(chosen):
        given, box = wishes[k].point_xy_px, regions.boxes_xyxy_px[index].tolist()
        kept = None if given is None else keep_point(visible, k, regions.crop(index), given, labels)
        point, occluded = kept or choose_point(visible, parts[k], k, labels)
        marks.append(
            mark_at(
                spots[k],
                parts[k],
                wishes[k],
                style,
                regions,
                index,
                bbox=(box[0], box[1], box[2], box[3]),
                area_px=regions.area_px(index),
                point=point,
                occluded=occluded,
            )
        )
    return marks


def mark_at(
    spot: Spot,
    part: Part,
    wish: Wish,
    style: MarkStyle,
    regions: Regions,
    index: int,
    *,
    bbox: Box,
    area_px: int,
    point: Point,
    occluded: bool,
) -> Mark:
    """Return the mark of region `index` with the given geometry, whichever frame that is in."""
    left, top, right, bottom = map(float, spot.rect)
    return Mark(
        id=wish.text,
        region_index=index,
        region_id=regions.ids[index],
        bbox_xyxy_px=bbox,
        point_xy_px=point,
        occluded=occluded,
        label_xy_px=((left + right) / 2, (top + bottom) / 2),
        label_bbox_xyxy_px=(left, top, right, bottom),
        leader=leader_of(spot, part),
        area_px=area_px,
        score=float(regions.scores[index]),
        text=regions.texts[index],
        role=regions.roles[index],
        color_rgb=color_of(max(0, mark_number(wish.text, style.kind) - 1)),
    )


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
