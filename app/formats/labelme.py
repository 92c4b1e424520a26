"""Mark sets as LabelMe shapes, and LabelMe shapes as regions.

A region whose mask is its box is a `rectangle`; any other is one `polygon` per connected part, with one `group_id`, and
holes are reached by bridges (see `outlines`). What LabelMe has no field for stands in the first shape under `markwise`,
which LabelMe keeps when it saves: export and import are equal in everything, masks to the pixel.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.formats.coco import class_of, extras, shortest, stacked
from app.formats.outlines import fill, parts_of
from models.errors import BadRegions
from models.regions import Mask, Regions

_FORMAT_VERSION = "5.5.0"


def write_labelme(regions: Regions, marks: Sequence[str], file_name: str) -> dict[str, Any]:
    """Return the LabelMe document of one image's regions; `marks` are the regions' mark ids."""
    shapes: list[dict[str, Any]] = []
    for index, mark in enumerate(marks):
        outlines = _outlines(regions, index)
        shapes += [
            {
                "label": class_of(regions, index),
                "points": points,
                "group_id": index + 1 if len(outlines) > 1 else None,
                "description": f"mark {mark}",
                "shape_type": kind,
                "flags": {},
                **({"markwise": {"mark": mark, **extras(regions, index)}} if number == 0 else {}),
            }
            for number, (kind, points) in enumerate(outlines)
        ]
    return {
        "version": _FORMAT_VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": file_name,
        "imageData": None,
        "imageHeight": regions.size_hw[0],
        "imageWidth": regions.size_hw[1],
    }


def _outlines(regions: Regions, index: int) -> list[tuple[str, list[list[float]]]]:
    """Shape type and points of every shape of a region; that of an empty mask has no area."""
    box = [shortest(value) for value in regions.boxes_xyxy_px[index].tolist()]
    (x0, y0), crop = regions.crop(index)
    if not crop.size:
        return [("rectangle", [box[:2], box[:2]])]
    if Regions.from_boxes(regions.size_hw, [box]).rles[0] == regions.rles[index]:
        return [("rectangle", [box[:2], box[2:]])]
    return [("polygon", (part + np.array([x0 + 0.5, y0 + 0.5])).tolist()) for part in parts_of(crop)]


def read_labelme(document: Mapping[str, Any], size_hw: tuple[int, int]) -> Regions:
    """Return the regions of a LabelMe document on an image of `size_hw`; raises BadRegions that names the shape.

    Shapes with one `group_id` and label are one region. Polygons, rectangles and circles are read; points and lines have
    no area, and the PNGs of `mask` shapes are not opened: a picture is decoded in a child process only. Labels become
    texts where the shape was not written by us.
    """
    stated = (document.get("imageHeight"), document.get("imageWidth"))
    if stated not in {size_hw, (None, None)}:
        raise BadRegions(
            f"the LabelMe document is about an image of {stated[1]} x {stated[0]}, not {size_hw[1]} x {size_hw[0]}"
        )
    shapes = document.get("shapes")
    if not isinstance(shapes, list) or not all(isinstance(shape, Mapping) for shape in shapes):
        raise BadRegions("the LabelMe document needs `shapes`, a list of objects")
    masks: list[Regions] = []
    facts: list[dict[str, Any]] = []
    for group in _groups(shapes):
        parts = [_shape(shape, size_hw, number) for number, shape in group]
        first = group[0][1]
        known = first.get("markwise")
        label = {"region_id": str(len(facts)), "text": str(first.get("label") or "") or None}
        facts.append({**label, **known} if isinstance(known, Mapping) else label)
        masks.append(parts[0] if len(parts) == 1 else _united(parts, size_hw))
    return stacked(size_hw, masks, facts)


def _groups(shapes: Sequence[Mapping[str, Any]]) -> list[list[tuple[int, Mapping[str, Any]]]]:
    """Shapes with their numbers, those of one region together, in the order of their first."""
    groups: dict[object, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, shape in enumerate(shapes):
        group = shape.get("group_id")
        key = ("alone", number) if group is None else ("group", str(group), str(shape.get("label")))
        groups.setdefault(key, []).append((number, shape))
    return list(groups.values())


def _shape(shape: Mapping[str, Any], size_hw: tuple[int, int], number: int) -> Regions:
    name = f"LabelMe shape {number}"
    kind = shape.get("shape_type", "polygon")
    try:
        points = np.array([[float(x), float(y)] for x, y in shape["points"]], np.float64).reshape(-1, 2)
        if not np.isfinite(points).all():
            raise BadRegions(f"{name}: `points` hold a number that is not finite")
        if kind == "rectangle" and len(points) == 2:
            low, high = points.min(axis=0), points.max(axis=0)
            return Regions.from_boxes(size_hw, [[*low.tolist(), *high.tolist()]])
        if kind == "polygon" and len(points) >= 3:
            return Regions.from_masks(size_hw, [fill(points, size_hw)])
        if kind == "circle" and len(points) == 2:
            return Regions.from_masks(size_hw, [_disc(points, size_hw)])
    except (KeyError, TypeError, ValueError):
        raise BadRegions(f"{name}: its `points` are not as LabelMe writes them") from None
    raise BadRegions(f'{name}: a "{str(kind)[:40]}" with {len(points)} points cannot be read as a region')


def _disc(points: NDArray[np.float64], size_hw: tuple[int, int]) -> Mask:
    """A circle from its middle and a point on it."""
    radius = math.dist(points[0], points[1])
    ys, xs = np.ogrid[: size_hw[0], : size_hw[1]]
    inside: Mask = (xs + 0.5 - points[0, 0]) ** 2 + (ys + 0.5 - points[0, 1]) ** 2 <= radius**2
    return inside


def _united(parts: Iterable[Regions], size_hw: tuple[int, int]) -> Regions:
    frame = np.zeros(size_hw, np.bool_)
    for part in parts:
        frame |= part.mask(0)
    return Regions.from_masks(size_hw, [frame])
