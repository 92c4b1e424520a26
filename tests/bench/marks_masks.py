"""COCO's own masks of a picture, decoded: polygons, plain and compressed run lengths."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.regions import Regions


def coco_masks(truth: dict[str, Any], image: dict[str, Any]) -> list[NDArray[np.bool_]]:
    """Return the (H, W) masks of one entry of `truth["images"]`, empty ones left out."""
    size_hw = (image["height"], image["width"])
    shapes = [item["segmentation"] for item in truth["annotations"] if item["image_id"] == image["id"]]
    masks = [_regions(shape, size_hw).mask(0) for shape in shapes]
    return [mask for mask in masks if mask.any()]


def _regions(shape: Any, size_hw: tuple[int, int]) -> Regions:
    if isinstance(shape, list):
        return Regions.from_polygons(size_hw, [shape])
    if not isinstance(shape["counts"], str):
        packed = coco.frPyObjects(shape, *size_hw)
        shape = {"size": list(size_hw), "counts": packed["counts"].decode("ascii")}
    return Regions.from_rles(size_hw, [shape])
