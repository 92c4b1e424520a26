"""Which regions get marks, in which order, and under which ids.

Order must be stable: a mask that grows by a pixel should renumber little (the published code renumbers 33 of 50 marks
then). Ids of an earlier marking are kept for regions that are found again. Knows no label geometry.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco
from rapidfuzz import fuzz

from models.marks.presets import Kind, MarkStyle, Order
from models.marks.types import Mark, Previous
from models.regions import Regions

_BANDS = 12  # bands of the reading order per short side
_EDGE = 0.006  # of the short side: a mask this near to the frame counts as cut by it, whatever a pixel of jitter does
_SAME_IOU = 0.5
_SAME_SIZE = 0.7
_SAME_TEXT = 60.0  # of 100: "Cart (1)" and "Cart (2)" are one thing, "Edit" and "Save" in one place are two
# What stands in these changes as they are used.
_CHANGING = frozenset({"textbox", "searchbox", "combobox", "spinbutton", "textarea", "slider", "progressbar"})


def mark_id(number: int, kind: Kind) -> str:
    """Return the id of the mark with `number` (from 1): "1", "2", ... or "A" .. "Z", "AA", ..."""
    if kind != "letter":
        return str(number)
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def mark_number(identifier: str, kind: Kind) -> int:
    """Return the number behind an id of `kind`, 0 where it is not one."""
    if kind != "letter":
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
            return _reading(regions, indices)


def _reading(regions: Regions, indices: Sequence[int]) -> list[int]:
    """Return `indices` from top to bottom, and from left to right where they stand side by side.

    Interface elements, where they are the most, are read in their own lines; other masks in fixed bands, which a pixel of
    jitter leaves alone except at a band's border.
    """
    elements = sum(is_element(regions, i) for i in indices)
    rows = _lines(regions, indices) if 2 * elements > len(indices) else _bands(regions, indices)
    across = _middles(regions.boxes_xyxy_px[:, 0::2], regions.size_hw[1], min(regions.size_hw))
    return sorted(indices, key=lambda i: (rows[i], across[i], *_content(regions, i)))


def is_element(regions: Regions, index: int) -> bool:
    """Return whether a region is an interface element: it has a role or text that a label must not hide."""
    return regions.roles[index] is not None or regions.texts[index] is not None


def _bands(regions: Regions, indices: Sequence[int]) -> dict[int, int]:
    height, short = regions.size_hw[0], min(regions.size_hw)
    middles = _middles(regions.boxes_xyxy_px[:, 1::2], height, short)
    return {i: int(min(middles[i], height - 1) // (short / _BANDS)) for i in indices}


def _middles(spans: NDArray[np.float32], size: int, short: int) -> list[float]:
    """Return the middles of (N, 2) spans. A mask that the frame cuts has its middle outside, so it counts as at the edge.

    Its seen middle moves by half a pixel when the mask grows by one, which was what renumbered most; an uncut mask's stays.
    """
    low, high = spans[:, 0].astype(np.float64), spans[:, 1].astype(np.float64)
    near = max(1.0, _EDGE * short)
    first, last = low <= near, high >= size - near
    middles: list[float] = np.select([first & last, first, last], [size / 2, 0.0, size], (low + high) / 2).tolist()
    return middles


def _lines(regions: Regions, indices: Sequence[int]) -> dict[int, int]:
    """Return the line number of each region: one joins the line above it if its middle is within the half of both."""
    _, tops, _, bottoms = regions.boxes_xyxy_px.astype(np.float64).T
    band = min(regions.size_hw) / _BANDS
    lines: dict[int, int] = {}
    number, start, reach = -1, -np.inf, 0.0
    for i in sorted(indices, key=lambda i: ((tops[i] + bottoms[i]) / 2, *_content(regions, i))):
        middle, half = (tops[i] + bottoms[i]) / 2, min(bottoms[i] - tops[i], band) / 2
        if middle - start >= min(half, reach):
            number, start, reach = number + 1, middle, half
        lines[i] = number
    return lines


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
    """Return {region index: earlier mark id} for the regions whose mask overlaps an earlier one by IoU >= 0.5.

    What is left is matched by its box in the same way: a thin mask that loses a pixel all around loses half of itself.
    An interface element whose role and text no other one has is found again wherever it went, as by scrolling; one that now
    says something else in the same place is another one, unless it is a field.
    """
    marks = previous.marking.marks
    if not marks or not indices:
        return {}
    earlier = previous.regions.take([mark.region_index for mark in marks])
    if earlier.size_hw != regions.size_hw:
        earlier = earlier.scaled(regions.size_hw)
    count = [0] * len(marks)
    by_mask = np.asarray(coco.iou([regions.rles[i] for i in indices], list(earlier.rles), count))
    by_box = np.asarray(coco.iou(_boxes_xywh(regions, indices), _boxes_xywh(earlier, range(len(marks))), count))
    found = _moved(regions, indices, earlier, marks)
    ids = [mark.id for mark in marks]
    taken = {ids.index(name) for name in found.values()}
    for iou in (by_mask, by_box):
        for flat in np.argsort(-iou, axis=None, kind="stable").tolist():
            row, column = divmod(flat, len(marks))
            if iou[row, column] < _SAME_IOU:
                break
            free = indices[row] not in found and column not in taken
            if free and not _says_otherwise(regions, indices[row], earlier, column):
                found[indices[row]] = marks[column].id
                taken.add(column)
    return found


def _moved(regions: Regions, indices: Sequence[int], earlier: Regions, marks: Sequence[Mark]) -> dict[int, str]:
    """Return {region index: earlier id} for elements that are known by role and text, and about as large as before."""
    new, old = _by_name(regions, indices), _by_name(earlier, range(len(marks)))
    found = {}
    for name in new.keys() & old.keys():
        one, other = (_sides(each, i) for each, i in ((regions, new[name]), (earlier, old[name])))
        if all(min(a, b) >= _SAME_SIZE * max(a, b) for a, b in zip(one, other, strict=True)):
            found[new[name]] = marks[old[name]].id
    return found


def _by_name(regions: Regions, indices: Sequence[int]) -> dict[tuple[str, str], int]:
    """Return {(role, text): index} of the elements that share both with no other one."""
    names = {i: (role, text) for i in indices if (role := regions.roles[i]) and (text := regions.texts[i])}
    counts = Counter(names.values())
    return {name: i for i, name in names.items() if counts[name] == 1}


def _sides(regions: Regions, i: int) -> tuple[float, float]:
    x0, y0, x1, y1 = regions.boxes_xyxy_px[i].tolist()
    return x1 - x0, y1 - y0


def _says_otherwise(regions: Regions, i: int, earlier: Regions, k: int) -> bool:
    """Whether two elements in one place have texts that do not go together."""
    one, other = regions.texts[i], earlier.texts[k]
    roles = {regions.roles[i], earlier.roles[k]}
    if not one or not other or None in roles or roles & _CHANGING:
        return False
    return bool(fuzz.ratio(one.casefold(), other.casefold()) < _SAME_TEXT)


def _boxes_xywh(regions: Regions, indices: Sequence[int]) -> NDArray[np.float64]:
    boxes = regions.boxes_xyxy_px[list(indices)].astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    return boxes
