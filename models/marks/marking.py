"""Puts the steps together: choose, order, name, place, point, and colour the marks of one image.

`place` and `mark` are what the rest of the project calls; the steps are in the sibling modules.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.marks.ground import ink_of
from models.marks.kinds import kind_for
from models.marks.labels import color_of
from models.marks.layout import lay_out
from models.marks.order import assign_ids, is_element, mark_number, most_useful, ordered
from models.marks.paint import Picture, check_image, paint
from models.marks.points import choose_point, keep_point
from models.marks.presets import MarkStyle, style_of
from models.marks.spots import Spot, Wish
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
    """Return the painted copy of `image` and its marking. The same input gives the same bytes.

    `image` is (H, W, 3) uint8 RGB, not changed. `regions` are masks on that frame (`Regions.from_masks`, `from_boxes`, ...).
    `style` is a preset's name ("markwise", "som", "som-llava"), a mapping that changes some of its fields, or a
    `MarkStyle`. With `previous`, regions found again (IoU of at least 0.5, each matched once) keep their ids. At most
    `max_marks` regions (default: the style's 99) are marked, best score first and then largest; the rest, and empty
    masks, are counted in `Marking.omitted_regions`. All geometry of the marks is in pixels of the image, origin top left,
    boxes half-open.

    Where masks overlap, a pixel belongs to the smallest (SoM, section 3.2); of equal masks each keeps a label and a click
    point of its own, and a region that smaller ones cover entirely is marked `occluded`. Raises BadImage on another
    dtype, shape or size, BadInput on an unknown style or max_marks < 1.
    """
    check_image(image, regions.size_hw)
    marking, visible = _place(regions, style, max_marks, previous, image)
    return paint(image, regions, marking, visible), marking


def place(
    regions: Regions,
    style: Style = "markwise",
    *,
    max_marks: int | None = None,
    previous: Previous | None = None,
    image: Picture | None = None,
) -> Marking:
    """Return the marks that `mark` would paint, without painting.

    With `image` (H, W, 3) uint8 RGB the labels of interface elements keep off its text, as `mark` has it, and the kind
    "auto" can look at it; without, they stand where text seldom is. Raises BadInput as `mark` does.
    """
    return _place(regions, style, max_marks, previous, image)[0]


def _place(
    regions: Regions, style: Style, max_marks: int | None, previous: Previous | None, image: Picture | None
) -> tuple[Marking, Visible]:
    """Return the marking and the ownership map, whose region k is that of mark k."""
    style = style_of(style)
    if max_marks is not None and max_marks < 1:
        raise BadInput(f"max_marks must be at least 1; got {max_marks}")
    if style.kind == "auto":
        earlier = () if previous is None else [mark.id for mark in previous.marking.marks]
        style = replace(style, kind=kind_for(regions.texts, image, earlier))
    areas = [regions.area_px(i) for i in range(len(regions))]
    useful = most_useful(regions, areas, style.max_marks if max_marks is None else max_marks)
    chosen = ordered(regions, useful, areas, style.order)
    if style.min_area_px:
        chosen = _large_enough(regions, chosen, areas, style)
    named = list(zip(assign_ids(regions, chosen, style, previous), chosen, strict=True))
    named.sort(key=lambda item: mark_number(item[0], style.kind))
    ids, chosen = [name for name, _ in named], [index for _, index in named]
    visible = _visible(regions, chosen, areas)
    parts = [visible.part(k) for k in range(len(chosen))]
    wishes = [_wish(style, regions, i, name, part) for i, name, part in zip(chosen, ids, parts, strict=True)]
    # Ink costs 2 ms a megapixel and only interfaces, whose labels stand among text, are better for it.
    ink = ink_of(image) if image is not None and any(wish.element for wish in wishes) else None
    marks = _compose(visible, parts, wishes, regions, chosen, style, ink)
    return Marking(marks=tuple(marks), omitted_regions=len(regions) - len(marks), style=style), visible


def _visible(regions: Regions, chosen: Sequence[int], areas: Sequence[int]) -> Visible:
    return Visible(regions.size_hw, [areas[i] for i in chosen], lambda k: regions.crop(chosen[k]))


def _large_enough(regions: Regions, chosen: Sequence[int], areas: Sequence[int], style: MarkStyle) -> list[int]:
    """Return the regions of which smaller ones leave enough, as the som-llava program does, counting equals once."""
    owned = _visible(regions, chosen, areas).owned()
    least = style.min_area_px * (min(regions.size_hw) / 640) ** 2
    return [i for k, i in enumerate(chosen) if owned[k] >= least]


def _wish(style: MarkStyle, regions: Regions, index: int, name: str, part: Part) -> Wish:
    element = style.spare_content and is_element(regions, index)
    height = _label_height(style, part, regions.size_hw, element=element)
    return Wish(
        text=name, height_px=height, element=element or style.off_centre, point_xy_px=regions.points_xy_px[index]
    )


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
    ink: NDArray[np.int32] | None,
) -> list[Mark]:
    """Return one mark per part (part k is region `chosen[k]`): labels laid out together, then points."""
    spots = lay_out(visible, parts, wishes, ink)
    labels = np.asarray([spot.rect for spot in spots], np.int64).reshape(-1, 4)
    marks = []
    for k, index in enumerate(chosen):
        given, box = wishes[k].point_xy_px, regions.boxes_xyxy_px[index].tolist()
        kept = None if given is None else keep_point(visible, k, regions.crop(index), given, labels)
        point, occluded = kept or choose_point(visible, parts[k], k, labels)
        marks.append(
            mark_at(
                spots[k],
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
        leader=spot.leader,
        area_px=area_px,
        score=float(regions.scores[index]),
        text=regions.texts[index],
        role=regions.roles[index],
        color_rgb=color_of(max(0, mark_number(wish.text, style.kind) - 1)),
    )
