"""Mark sets as YOLO rows, and YOLO rows as regions.

A row is `class x_center y_center width height`, or for masks `class x1 y1 x2 y2 ...`, in shares of the image; classes are
numbers whose names stand elsewhere. Only rows are written: Ultralytics refuses a file with a comment. YOLO keeps boxes
or masks, and classes; ids, roles, scores and points are lost. A mask of one part is kept to the pixel, holes too; one in
several parts becomes one outline with bridges between them, whose pixels the mask gains.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.formats.coco import class_of, shortest, stacked
from app.formats.outlines import fill, join, parts_of
from models.errors import BadRegions
from models.regions import Regions


def class_names(regions: Regions) -> list[str]:
    """The class names in the order of their numbers."""
    return sorted({class_of(regions, index) for index in range(len(regions))})


def write_boxes(regions: Regions) -> str:
    """Return one detection row per region."""
    height, width = regions.size_hw
    names = class_names(regions)
    lines = []
    for index, box in enumerate(regions.boxes_xyxy_px.tolist()):
        x0, y0, x1, y1 = (shortest(value) for value in box)
        row = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
        lines.append(" ".join([str(names.index(class_of(regions, index))), *map(_share, row)]))
    return "".join(f"{line}\n" for line in lines)


def write_masks(regions: Regions) -> str:
    """Return one segmentation row per region with pixels."""
    height, width = regions.size_hw
    names = class_names(regions)
    lines = []
    for index in range(len(regions)):
        (x0, y0), crop = regions.crop(index)
        if not crop.size:
            continue
        outline = join(parts_of(crop)) + np.array([x0 + 0.5, y0 + 0.5])
        row = (outline / (width, height)).reshape(-1).tolist()
        lines.append(" ".join([str(names.index(class_of(regions, index))), *map(_share, row)]))
    return "".join(f"{line}\n" for line in lines)


def read_yolo(text: str, size_hw: tuple[int, int], names: Sequence[str] = ()) -> Regions:
    """Return the regions of YOLO rows on an image of `size_hw`; raises BadRegions that names the row.

    `names` are the classes by number; without them a class is called by its number. Five numbers are a box, six a box
    with its confidence, an odd number from seven on an outline, an even one from eight on an outline with its
    confidence.
    """
    shapes: list[Regions] = []
    stated: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            values = [float(field) for field in fields[1:]]
            kind = int(fields[0])
        except ValueError:
            raise BadRegions(f"YOLO row {number} must be a class number and shares of the image") from None
        if len(values) < 4 or kind < 0 or not all(map(math.isfinite, values)):
            raise BadRegions(f"YOLO row {number} must be a class number and at least four shares of the image")
        score = values.pop() if len(values) % 2 else 1.0
        shapes.append(_shape(values, size_hw))
        name = names[kind] if kind < len(names) else f"class {kind}"
        stated.append({"text": name, "score": score, "region_id": str(len(stated))})
    return stacked(size_hw, shapes, stated)


def _shape(values: Sequence[float], size_hw: tuple[int, int]) -> Regions:
    height, width = size_hw
    if len(values) == 4:
        x, y, w, h = (share * side for share, side in zip(values, (width, height) * 2, strict=True))
        # Back to the thousandths of a pixel in which marks are stored.
        return Regions.from_boxes(size_hw, [[round(v, 3) for v in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]])
    points = np.array(values, np.float64).reshape(-1, 2) * (width, height)
    # A share is cut to nine digits, so that a point on a whole pixel may come back a hair below it.
    return Regions.from_masks(size_hw, [fill(points + 1e-6, size_hw)])


def _share(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".") or "0"
