"""Which regions get marks, in which order, and under which ids.

Order must be stable: a mask that grows by a pixel should renumber little (the published code renumbers 33 of 50 marks
then). Ids of an earlier marking are kept for regions that are found again. Knows no label geometry.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.marks.presets import Kind, MarkStyle, Order
from models.marks.types import Previous
from models.regions import Regions

_BANDS = 12  # rows of the reading order per short side
_SAME_IOU = 0.5


def mark_id(number: int, kind: Kind) -> str:
    """Return the id of the mark with `number` (from 1): "1", "2", ... or "A" .. "Z", "AA", ..."""
    if kind == "number":
        return str(number)
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def mark_number(identifier: str, kind: Kind) -> int:
    """Return the number behind an id of `kind`, 0 where it is not one."""
    if kind == "number":
        return int(identifier) if identifier.isascii() and identifier.isdigit() else 0
    number = 0
    for letter in identifier:
        if not "A" <= letter <= "Z":
            return 0
        number = number * 26 + ord(letter) - 64
    return number


def most_useful(regions: Regions, areas: Sequence[int], limit: int) -> list[int]:
    """Return the indices of the at most `limit` regions worth a mark: by score, then area; empty masks never."""
    full = [i for i in range(len(regions)) if areas[i] > 0]
    full.sort(key=lambda i: (-float(regions.scores[i]), -areas[i], _content(regions, i)))
    return sorted(full[:limit])


def ordered(regions: Regions, indices: Sequence[int], areas: Sequence[int], order: Order) -> list[int]:
    """Return `indices` in mark order; ties end in the regions' content, never in the order they came in."""
    match order:
        case "largest_first":
            return sorted(indices, key=lambda i: (-areas[i], _content(regions, i)))
        case "smallest_first":
            return sorted(indices, key=lambda i: (areas[i], _content(regions, i)))
        case "reading":
            band = min(regions.size_hw) / _BANDS
            return sorted(indices, key=lambda i: _reading_key(regions, i, band))


def _reading_key(regions: Regions, i: int, band: float) -> tuple[int, float, float, tuple[float, ...], str]:
    x0, y0, x1, y1 = regions.boxes_xyxy_px[i].tolist()
    return int((y0 + y1) / 2 // band), (x0 + x1) / 2, (y0 + y1) / 2, *_content(regions, i)


def _content(regions: Regions, i: int) -> tuple[tuple[float, ...], str]:
    return tuple(regions.boxes_xyxy_px[i].tolist()), regions.rles[i]["counts"]


def assign_ids(regions: Regions, indices: Sequence[int], style: MarkStyle, previous: Previous | None) -> list[str]:
    """Return one id per entry of `indices` (already in mark order).

    With `previous`, a region found again keeps its id; a new one gets the lowest number that the earlier marking did
    not use, and only beyond `style.max_marks` a number that has become free.
    """
    if previous is None:
        return [mark_id(n, style.kind) for n in range(1, len(indices) + 1)]
    kept = matches(regions, indices, previous)
    used = {mark.id for mark in previous.marking.marks}
    numbers = range(1, style.max_marks + len(used) + len(indices) + 1)
    fresh = [name for name in (mark_id(n, style.kind) for n in numbers) if name not in used]
    within = [name for name in fresh if mark_number(name, style.kind) <= style.max_marks]
    freed = sorted(used - set(kept.values()), key=lambda name: (mark_number(name, style.kind), name))
    supply = iter([*within, *freed, *fresh[len(within) :]])
    return [kept[i] if i in kept else next(supply) for i in indices]


def matches(regions: Regions, indices: Sequence[int], previous: Previous) -> dict[int, str]:
    """Return {region index: earlier mark id} for the regions whose mask overlaps an earlier one by IoU >= 0.5."""
    marks = previous.marking.marks
    if not marks or not indices:
        return {}
    earlier = previous.regions.take([mark.region_index for mark in marks])
    if earlier.size_hw != regions.size_hw:
        earlier = earlier.scaled(regions.size_hw)
    iou: NDArray[np.float64] = np.asarray(
        coco.iou([regions.rles[i] for i in indices], list(earlier.rles), [0] * len(marks))
    )
    found: dict[int, str] = {}
    taken: set[int] = set()
    for flat in np.argsort(-iou, axis=None, kind="stable").tolist():
        row, column = divmod(flat, len(marks))
        if iou[row, column] < _SAME_IOU:
            break
        if indices[row] not in found and column not in taken:
            found[indices[row]] = marks[column].id
            taken.add(column)
    return found
