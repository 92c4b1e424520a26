"""A mark set in the formats of other tools: COCO annotations, YOLO boxes, labelme shapes.

COCO boxes are `[x, y, width, height]`; YOLO's are normalised centre and size; labelme takes corner points. The class
of a region is its text, else its role, else `region`.
"""

import json
from collections.abc import Callable
from typing import Any

from app.catalog.tables import ImageRow, MarkRow

Export = Callable[[list[MarkRow], ImageRow], tuple[str, str]]


def class_of(mark: MarkRow) -> str:
    """The class name that other tools see."""
    return mark.text or mark.role or "region"


def coco(marks: list[MarkRow], image: ImageRow) -> tuple[str, str]:
    """COCO instances with compressed RLE masks."""
    names = sorted({class_of(mark) for mark in marks})
    category = {name: index + 1 for index, name in enumerate(names)}
    annotations = []
    for index, mark in enumerate(marks):
        x0, y0, x1, y1 = mark.bbox_xyxy_px
        annotations.append(
            {
                "id": index + 1,
                "image_id": 1,
                "category_id": category[class_of(mark)],
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": mark.area_px,
                "iscrowd": 0,
                "segmentation": mark.rle,
                "mark": mark.mark,
                "score": mark.score,
            }
        )
    document = {
        "info": {"description": "a Markwise mark set"},
        "images": [{"id": 1, "file_name": f"{image.id}.png", "width": image.width, "height": image.height}],
        "categories": [{"id": number, "name": name} for name, number in category.items()],
        "annotations": annotations,
    }
    return json.dumps(document), "application/json"


def yolo(marks: list[MarkRow], image: ImageRow) -> tuple[str, str]:
    """YOLO text: class number, centre x, centre y, width, height, all normalised; names in a leading comment."""
    names = sorted({class_of(mark) for mark in marks})
    lines = [f"# names: {json.dumps(names)}"]
    for mark in marks:
        x0, y0, x1, y1 = mark.bbox_xyxy_px
        box = ((x0 + x1) / 2 / image.width, (y0 + y1) / 2 / image.height, (x1 - x0) / image.width)
        height = (y1 - y0) / image.height
        lines.append(f"{names.index(class_of(mark))} {box[0]:.6f} {box[1]:.6f} {box[2]:.6f} {height:.6f}")
    return "\n".join(lines) + "\n", "text/plain"


def labelme(marks: list[MarkRow], image: ImageRow) -> tuple[str, str]:
    """Labelme JSON with one rectangle per mark."""
    shapes: list[dict[str, Any]] = [
        {
            "label": class_of(mark),
            "points": [mark.bbox_xyxy_px[:2], mark.bbox_xyxy_px[2:]],
            "group_id": None,
            "description": f"mark {mark.mark}",
            "shape_type": "rectangle",
            "flags": {},
        }
        for mark in marks
    ]
    document: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": f"{image.id}.png",
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }
    return json.dumps(document), "application/json"


EXPORTS: dict[str, Export] = {"coco": coco, "yolo": yolo, "labelme": labelme}
