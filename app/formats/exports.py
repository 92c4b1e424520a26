"""A mark set in the formats of other tools and back: which format, from catalog rows and from documents.

Routes, workers and the command line ask here; the formats stand in a module each, both directions side by side.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.formats.coco import read_coco, write_coco
from app.formats.labelme import read_labelme, write_labelme
from app.formats.yolo import class_names, read_yolo, write_boxes, write_masks
from models.errors import BadRegions
from models.regions import Regions

Format = Literal["coco", "yolo", "labelme"]
# YOLO keeps the names of its class numbers outside the label file.
CLASS_NAMES_HEADER = "X-Class-Names"
# Proxies cut or refuse longer ones. A page whose every text is a class of its own is nothing to teach a detector with.
LONGEST_HEADER = 4000


def export(
    format: Format, regions: Regions, marks: Sequence[str], file_name: str, *, masks: bool = False
) -> tuple[str, str, dict[str, str]]:
    """Return text, media type and headers; `masks` makes YOLO's rows outlines instead of boxes."""
    match format:
        case "coco":
            return json.dumps(write_coco(regions, marks, file_name)), "application/json", {}
        case "labelme":
            return json.dumps(write_labelme(regions, marks, file_name)), "application/json", {}
        case "yolo":
            rows = write_masks(regions) if masks else write_boxes(regions)
            names = json.dumps(class_names(regions))
            return rows, "text/plain", {CLASS_NAMES_HEADER: names} if len(names) <= LONGEST_HEADER else {}


def read_regions(document: Mapping[str, Any] | str, size_hw: tuple[int, int], names: Sequence[str] = ()) -> Regions:
    """Return the regions of a document that `export` or another tool wrote, about an image of `size_hw`.

    An object with `annotations` is COCO's, one with `shapes` LabelMe's, text that is no JSON is YOLO's, whose classes
    are called by `names`. Raises BadRegions.
    """
    if isinstance(document, str):
        if document.lstrip()[:1] != "{":
            return read_yolo(document, size_hw, names)
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            raise BadRegions("the file of regions is neither JSON nor YOLO rows") from None
    if not isinstance(document, Mapping):
        raise BadRegions("the file of regions is no JSON object")
    if "annotations" in document:
        return read_coco(document, size_hw)
    if "shapes" in document:
        return read_labelme(document, size_hw)
    raise BadRegions("a document of regions is COCO's (with `annotations`), LabelMe's (with `shapes`) or YOLO rows")
