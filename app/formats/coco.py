"""Mark sets as COCO instances, and COCO instances as regions.

Boxes are `[x, y, width, height]`, masks compressed run lengths as pycocotools writes them. What COCO has no field for
stands beside its own in each annotation (`mark`, `region_id`, `bbox_xyxy_px`, `point_xy_px`, `score`, `text`, `role`),
where COCO's readers pass over it: export and import are equal in everything. A category is the region's text, else its
role, else `region`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as pycoco

from models.errors import BadRegions
from models.regions import Point, Regions, Rle


def class_of(regions: Regions, index: int) -> str:
    """The class name that other tools see."""
    return regions.texts[index] or regions.roles[index] or "region"


def write_coco(regions: Regions, marks: Sequence[str], file_name: str) -> dict[str, Any]:
    """Return the COCO document of one image's regions; `marks` are the regions' mark ids."""
    names = sorted({class_of(regions, index) for index in range(len(regions))})
    category = {name: number for number, name in enumerate(names, 1)}
    return {
        "info": {"description": "a Markwise mark set"},
        "images": [{"id": 1, "file_name": file_name, "height": regions.size_hw[0], "width": regions.size_hw[1]}],
        "categories": [{"id": number, "name": name} for name, number in category.items()],
        "annotations": [
            {
                "id": index + 1,
                "image_id": 1,
                "category_id": category[class_of(regions, index)],
                "segmentation": dict(regions.rles[index]),
                "area": regions.area_px(index),
                "iscrowd": 0,
                "mark": mark,
                **extras(regions, index),
                "bbox": _xywh(regions.boxes_xyxy_px[index].tolist()),
            }
            for index, mark in enumerate(marks)
        ],
    }


def extras(regions: Regions, index: int) -> dict[str, Any]:
    """What we know of a region and other formats have no field for."""
    point = regions.points_xy_px[index]
    return {
        "region_id": regions.ids[index],
        "bbox_xyxy_px": [shortest(value) for value in regions.boxes_xyxy_px[index].tolist()],
        "point_xy_px": None if point is None else [float(point[0]), float(point[1])],
        "score": shortest(float(regions.scores[index])),
        "text": regions.texts[index],
        "role": regions.roles[index],
    }


def shortest(value: float) -> float:
    """The number with the fewest digits that is this float32: regions hold 10.3 as 10.300000190734863."""
    return float(str(np.float32(value)))


def read_coco(document: Mapping[str, Any], size_hw: tuple[int, int]) -> Regions:
    """Return the regions of a COCO document about one image of `size_hw`; raises BadRegions that names the annotation.

    Masks may be polygons or run lengths, compressed or not; an annotation without a mask is its box. Names of
    categories become texts where the annotation itself states none.
    """
    images = document.get("images")
    if not isinstance(images, list) or len(images) != 1 or not isinstance(images[0], Mapping):
        raise BadRegions("a COCO document of regions must be about one image: `images` with one entry")
    stated = (images[0].get("height"), images[0].get("width"))
    if stated != size_hw:
        raise BadRegions(
            f"the COCO document is about an image of {stated[1]} x {stated[0]}, not {size_hw[1]} x {size_hw[0]}"
        )
    try:
        names = {entry["id"]: str(entry["name"]) for entry in document.get("categories") or ()}
        annotations = [dict(entry) for entry in document["annotations"]]
    except (KeyError, TypeError, ValueError):
        raise BadRegions("the COCO document needs `annotations` and `categories`, each a list of objects") from None
    shapes = [_shape(entry, size_hw, f"annotation {entry.get('id', index)}") for index, entry in enumerate(annotations)]
    return stacked(
        size_hw,
        shapes,
        [
            {"region_id": str(entry.get("id", index)), "text": names.get(entry.get("category_id")), **entry}
            for index, entry in enumerate(annotations)
        ],
    )


def stacked(size_hw: tuple[int, int], shapes: Sequence[Regions], stated: Sequence[Mapping[str, Any]]) -> Regions:
    """Join one-region `shapes` and give each what its `extras` say; raises BadRegions for values that cannot be meant."""
    try:
        return Regions.from_rles(
            size_hw,
            [shape.rles[0] for shape in shapes],
            [
                one.get("bbox_xyxy_px") or shape.boxes_xyxy_px[0].tolist()
                for shape, one in zip(shapes, stated, strict=True)
            ],
            scores=[1.0 if one.get("score") is None else float(one["score"]) for one in stated],
            texts=[None if one.get("text") is None else str(one["text"]) for one in stated],
            roles=[None if one.get("role") is None else str(one["role"]) for one in stated],
            ids=[str(one.get("region_id", index)) for index, one in enumerate(stated)],
            points=[_point(one.get("point_xy_px"), shape) for shape, one in zip(shapes, stated, strict=True)],
        )
    except (TypeError, ValueError):
        raise BadRegions("a region's score, box or point is not made of numbers") from None


def _shape(entry: Mapping[str, Any], size_hw: tuple[int, int], name: str) -> Regions:
    """The mask and box of one annotation."""
    segmentation, box = entry.get("segmentation"), entry.get("bbox")
    if not segmentation and box is None:
        raise BadRegions(f"COCO {name}: it has neither `segmentation` nor `bbox`")
    try:
        corners = None if box is None else [[box[0], box[1], box[0] + box[2], box[1] + box[3]]]
        if not segmentation:
            return Regions.from_boxes(size_hw, corners or [])
        if isinstance(segmentation, list):
            return Regions.from_polygons(size_hw, [segmentation], corners)
        return Regions.from_rles(size_hw, [_compressed(segmentation)], corners)
    except BadRegions as error:
        raise BadRegions(f"COCO {name}: {error}") from None
    except (TypeError, ValueError, LookupError, AttributeError):
        raise BadRegions(f"COCO {name}: its `segmentation` or `bbox` is not as COCO writes it") from None


def _compressed(segmentation: Mapping[str, Any]) -> Rle:
    """Run lengths as text, whether they came as text or as a list of numbers."""
    size, counts = segmentation["size"], segmentation["counts"]
    if isinstance(counts, str):
        return {"size": size, "counts": counts}
    if len(counts) > 4_000_000 or any(not isinstance(run, int) or run < 0 for run in counts):
        raise ValueError
    if sum(counts) != size[0] * size[1]:
        raise BadRegions("its run lengths do not fill the image")
    packed = pycoco.frPyObjects({"size": list(size), "counts": list(counts)}, size[0], size[1])
    return {"size": size, "counts": packed["counts"].decode("ascii")}


def _point(stated: Any, shape: Regions) -> Point | None:
    """The stated click point, else what the shape brought."""
    return shape.points_xy_px[0] if stated is None else (float(stated[0]), float(stated[1]))


def _xywh(box: Sequence[float]) -> list[float]:
    x0, y0, x1, y1 = (shortest(value) for value in box)
    return [x0, y0, x1 - x0, y1 - y0]
