"""The same drawing through another frame: cut to a part of its picture, or with a grey border round it.

Called by the pools and by the evaluation where drawings are to come as pictures come to the service. Knows no ids.
"""

from dataclasses import replace

import numpy as np

from models.drawings import Drawing
from models.marks.for_model import PAD_RGB
from models.regions import Regions

Window = tuple[int, int, int, int]


def framed(drawing: Drawing, window: Window) -> Drawing:
    """What lies in `window` (x0, y0, x1, y1 in pixels, half-open), which may reach beyond the picture: grey lies there.

    Regions are cut with the picture; one that lies outside keeps its place with an empty mask.
    """
    x0, y0, x1, y1 = window
    (rows, into_rows), (columns, into_columns) = (
        _overlap(first, last, length)
        for first, last, length in zip((y0, x0), (y1, x1), drawing.regions.size_hw, strict=True)
    )
    size_hw = (y1 - y0, x1 - x0)
    image = np.full((*size_hw, 3), PAD_RGB, np.uint8)
    image[into_rows, into_columns] = drawing.image[rows, columns]
    masks = []
    for i in range(len(drawing.regions)):
        whole, mask = np.zeros(drawing.regions.size_hw, np.bool_), np.zeros(size_hw, np.bool_)
        (left, top), crop = drawing.regions.crop(i)
        whole[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
        mask[into_rows, into_columns] = whole[rows, columns]
        masks.append(mask)
    return replace(drawing, image=image, regions=Regions.from_masks(size_hw, masks))


def resized(drawing: Drawing, size: float) -> Drawing:
    """The same drawing on a canvas of 1 / `size` times its sides: with a grey border, or without its outer parts."""
    if size == 1.0:
        return drawing
    starts, stops = zip(
        *(_about_middle(length, round(length / size)) for length in drawing.regions.size_hw), strict=True
    )
    return framed(drawing, (starts[1], starts[0], stops[1], stops[0]))


def _about_middle(old: int, new: int) -> tuple[int, int]:
    first = -((new - old) // 2) if new >= old else (old - new) // 2
    return first, first + new


def _overlap(first: int, last: int, length: int) -> tuple[slice, slice]:
    """Where the stretch from `first` to `last` meets 0 to `length`: counted from 0, and from `first`."""
    start, stop = max(0, first), max(0, first, min(last, length))
    return slice(start, stop), slice(start - first, stop - first)
