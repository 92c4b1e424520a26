"""Facts -> regions: what people outlined becomes what marks are put on. Called by whoever marks an imported image."""

from typing import Any

import numpy as np

from models import rle
from models.errors import BadRegions
from models.facts import ImageFacts, ObjectFact
from models.regions import Regions


def regions_of(facts: ImageFacts) -> Regions:
    """Return one region per object, in the order of the facts: text = label, id = the object's id.

    The mask is the object's outline, else its box. An object of which no pixel lies in the image is left out, as the
    segmenter `provided` does. Raises BadRegions that names the object.
    """
    parts = [_region(facts.size_hw, item) for item in facts.objects]
    visible = [part for part in parts if part.area_px(0) > 0]
    return Regions.concat(*visible) if visible else Regions.empty(facts.size_hw)


def _region(size_hw: tuple[int, int], item: ObjectFact) -> Regions:
    try:
        shape = _shape(size_hw, item)
    except BadRegions as error:
        raise BadRegions(f"object {item.id} ({item.label}): {error}") from None
    return Regions.from_rles(size_hw, shape.rles, shape.boxes_xyxy_px, texts=[item.label], ids=[item.id])


def _shape(size_hw: tuple[int, int], item: ObjectFact) -> Regions:
    if not item.outline:
        return Regions.from_boxes(size_hw, [item.bbox_xyxy_px])
    if isinstance(item.outline, list):
        return Regions.from_polygons(size_hw, [item.outline], [item.bbox_xyxy_px])
    return Regions.from_rles(size_hw, [compressed(item.outline)], [item.bbox_xyxy_px])


def compressed(outline: dict[str, Any]) -> rle.Rle:
    """Return COCO run lengths as text, whether they came as text or as a list of numbers; raises BadRegions."""
    try:
        height, width = (int(value) for value in outline["size"])
        counts = outline["counts"]
        if isinstance(counts, str):
            return {"size": [height, width], "counts": counts}
        runs = np.asarray(counts, np.int64)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadRegions("a run-length outline needs `size` [height, width] and `counts`") from None
    if runs.ndim != 1 or not runs.size or runs.min() < 0 or int(runs.max()) > height * width:
        raise BadRegions("the run lengths of an outline must be a list of numbers that are not negative")
    if int(runs.sum()) != height * width:
        raise BadRegions("the run lengths of an outline do not fill the image")
    return {"size": [height, width], "counts": rle.write_counts(runs)}
