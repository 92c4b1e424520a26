"""Reads a region out of a row of a label or answer file, and compares two. The scorers of Set-of-Mark tasks call it.

A region is a COCO mask `rle`, polygons `polygon_px` with the frame's `size_hw`, or a box `bbox_xyxy_px`, in pixels of the
picture, half-open. Knows no benchmark.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import BadEvaluation, BadRegions
from models.evaluation.grounding import Box, box_iou, mask_iou
from models.regions import Regions
from models.rle import Rle


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A region: its box, and its mask where that is known."""

    box: tuple[float, float, float, float]
    rle: Rle | None = None

    def __str__(self) -> str:
        """Where it lies, for people."""
        return f"[{', '.join(f'{value:.0f}' for value in self.box)}]"

    def mask_overlap(self, other: "Shape | None") -> float:
        """Return the IoU of the masks, of the boxes where one has no mask; 0 where there is no other. Raises BadEvaluation."""
        if other is None or self.rle is None or other.rle is None:
            return self.box_overlap(other)
        if self.rle["size"] != other.rle["size"]:
            raise BadEvaluation(f"masks of one picture have the sizes {self.rle['size']} and {other.rle['size']}")
        return mask_iou(self.rle, other.rle)

    def box_overlap(self, other: "Shape | None") -> float:
        """Return the IoU of the boxes; 0 where there is no other."""
        return box_iou(None if other is None else other.box, self.box)


def shape_of(row: Mapping[str, Any]) -> Shape | None:
    """Return the region of a row, None where all its fields are empty; raises BadEvaluation."""
    try:
        if row.get("rle") is not None:
            size_hw = (int(row["rle"]["size"][0]), int(row["rle"]["size"][1]))
            return _of_regions(Regions.from_rles(size_hw, [row["rle"]]), row.get("bbox_xyxy_px"))
        if row.get("polygon_px") is not None:
            size_hw = (int(row["size_hw"][0]), int(row["size_hw"][1]))
            return _of_regions(Regions.from_polygons(size_hw, [row["polygon_px"]]), row.get("bbox_xyxy_px"))
        return None if row.get("bbox_xyxy_px") is None else Shape(box=box_of(row["bbox_xyxy_px"]))
    except (KeyError, TypeError, ValueError, IndexError, BadRegions) as exc:
        raise BadEvaluation(
            f"a row holds no readable region ({type(exc).__name__}: {exc}): {str(dict(row))[:200]}"
        ) from exc


def box_of(value: Any) -> tuple[float, float, float, float]:
    """Return four finite numbers x0, y0, x1, y1; raises BadEvaluation."""
    try:
        x0, y0, x1, y1 = (float(one) for one in value)
    except (TypeError, ValueError):
        raise BadEvaluation(f"a box must be four numbers x0, y0, x1, y1; got {str(value)[:100]}") from None
    if not np.isfinite((x0, y0, x1, y1)).all():
        raise BadEvaluation(f"a box must be finite; got {str(value)[:100]}")
    return x0, y0, x1, y1


def _of_regions(regions: Regions, stated: Box | None) -> Shape:
    bounds = regions.bounds(0)
    box = (0.0, 0.0, 0.0, 0.0) if bounds is None else tuple(map(float, bounds))
    return Shape(box=box_of(stated if stated is not None else box), rle=regions.rles[0])
