"""Puts the steps together: choose, order, name, place, point, and colour the marks of one image.

`place` and `mark` are what the rest of the project calls; the steps are in the sibling modules.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.marks.labels import color_of
from models.marks.order import assign_ids, mark_number, most_useful, ordered
from models.marks.paint import Picture, check_image, paint
from models.marks.placement import Rect, Spot, lay_out
from models.marks.points import choose_point, keep_point
from models.marks.presets import MarkStyle, style_of
from models.marks.types import Box, Mark, Marking, Previous
from models.marks.visible import CropOf, Part, Visible
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
    heights = [label_height(style, part, regions.size_hw) for part in parts]
    placed = compose(
        visible=visible,
        parts=parts,
        ids=ids_by_slot,
        heights=heights,
        regions=regions,
        chosen=chosen,
        areas=[areas[i] for i in chosen],
        style=style,
    )
    marks = tuple(placed[slots[index]] for index in order)
    return Marking(marks=marks, omitted_regions=len(regions) - len(marks), style=style)


def _drop_small(
    regions: Regions, areas: Sequence[int], chosen: list[int], visible: Visible, style: MarkStyle
) -> tuple[list[int], Visible]:
    """Drop the regions of which smaller ones leave too little, as the som-llava program does, counting equals once."""
    scale = 640 / min(regions.size_hw)
    own = np.bincount(visible.owner[visible.owner >= 0].ravel(), minlength=len(chosen)) * scale * scale
    kept = [index for k, index in enumerate(chosen) if own[k] >= style.min_area_px]
    return kept, Visible(regions.size_hw, [areas[i] for i in kept], lambda k: regions.crop(kept[k]))


def label_height(style: MarkStyle, part: Part, size_hw: tuple[int, int]) -> int:
    """Return the label's height in pixels: from the picture's size, less on a small region, never below legible."""
    relative = min(size_hw) / 640
    if style.fixed_label:
        return max(9, round(style.label_height_px * relative))
    # Square root: a 320 px thumbnail needs relatively larger labels than a 4K screen.
    full = style.label_height_px * math.sqrt(relative)
    return max(11, round(min(full, max(0.6 * full, 0.5 * math.sqrt(part.area_px)))))


def compose(
    *,
    visible: Visible,
    parts: Sequence[Part],
    ids: Sequence[str],
    heights: Sequence[int],
    regions: Regions,
    chosen: Sequence[int],
    areas: Sequence[int],
    style: MarkStyle,
) -> list[Mark]:
    """Return one mark per part: labels laid out together, then points."""
    given = [regions.points_xy_px[i] for i in chosen]
    spots = lay_out(visible, parts, ids, heights, given)
    labels = np.asarray([spot.rect for spot in spots], np.int64).reshape(-1, 4)
    marks = []
    for k, index in enumerate(chosen):
        box = regions.boxes_xyxy_px[index].tolist()
        point, occluded = _point(visible, parts[k], k, regions, index, labels)
        number = mark_number(ids[k], style.kind)
        rect = spots[k].rect
        marks.append(
            Mark(
                id=ids[k],
                region_index=index,
                region_id=regions.ids[index],
                bbox_xyxy_px=(box[0], box[1], box[2], box[3]),
                point_xy_px=point,
                occluded=occluded,
                label_xy_px=((rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2),
                label_bbox_xyxy_px=(float(rect[0]), float(rect[1]), float(rect[2]), float(rect[3])),
                leader=leader_of(spots[k], parts[k]),
                area_px=areas[k],
                score=float(regions.scores[index]),
                text=regions.texts[index],
                role=regions.roles[index],
                color_rgb=color_of((number or k + 1) - 1),
            )
        )
    return marks


def _point(
    visible: Visible, part: Part, k: int, regions: Regions, index: int, labels: NDArray[np.int64]
) -> tuple[Point, bool]:
    given = regions.points_xy_px[index]
    if given is not None:
        kept = keep_point(visible, k, regions.crop(index), given, labels)
        if kept is not None:
            return kept
    return choose_point(visible, part, k, labels)


def leader_of(spot: Spot, part: Part) -> Box | None:
    """Return the line from the label's edge to the part's innermost pixel, or None for a label on its region."""
    if not spot.off_region:
        return None
    x, y = part.anchor_xy[0] + 0.5, part.anchor_xy[1] + 0.5
    left, top, right, bottom = spot.rect
    return (min(max(x, left), right - 1.0), min(max(y, top), bottom - 1.0), x, y)


__all__ = ["CropOf", "Rect", "compose", "label_height", "leader_of", "mark", "place"]
