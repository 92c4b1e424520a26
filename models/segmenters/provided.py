"""The `provided` segmenter: regions that the caller states, one by one or as an accessibility tree.

Named by `models.registry`. Looks at no pixel. Nothing is merged, reordered or improved; a region is dropped only where
nothing of it lies in the image. Geometry that cannot be meant raises BadRegions naming the region.
"""

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadRegions
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions
from models.segmenters.accessibility import tree_regions

_GEOMETRIES = ("bbox_xyxy_px", "polygon_px", "rle", "point_xy_px", "stroke_px")


class ProvidedSegmenter:
    """Turns the caller's regions and accessibility tree into `Regions`, in the order given, tree last."""

    name = "provided"
    version = "2"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return the regions on `image` ((H, W, 3) uint8); raises BadRegions with the index or id of the bad one."""
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        stated = list(request.provided)
        if request.accessibility_tree is not None:
            stated += tree_regions(request.accessibility_tree, size_hw, request.device_pixel_ratio)
        elif not stated and request.complete is None:
            raise BadRegions("the segmenter `provided` needs `regions` or an `accessibility_tree`")
        parts = [_region(size_hw, region, index) for index, region in enumerate(stated)]
        parts += [] if request.complete is None else [request.complete.take([i]) for i in range(len(request.complete))]
        visible = [part for part in parts if len(part) and part.area_px(0) > 0]
        return Regions.concat(*visible) if visible else Regions.empty(size_hw)


def _region(size_hw: tuple[int, int], region: ProvidedRegion, index: int) -> Regions:
    """Make a `Regions` of at most one entry that carries the caller's id, text, role and point."""
    name = f"region {index}" + (f' (id "{region.id}")' if region.id is not None else "")
    given = [field for field in _GEOMETRIES if getattr(region, field) is not None]
    if len(given) != 1:
        raise BadRegions(f"{name} must have exactly one of {', '.join(_GEOMETRIES)}; got {', '.join(given) or 'none'}")
    try:
        shape = _shape(size_hw, region, name)
    except BadRegions as error:
        if str(error).startswith(name):
            raise
        raise BadRegions(f"{name}: {error}") from error
    if not len(shape):
        return shape
    return Regions.from_rles(
        size_hw,
        shape.rles,
        shape.boxes_xyxy_px,
        texts=[region.text],
        roles=[region.role],
        ids=[str(index) if region.id is None else region.id],
        points=shape.points_xy_px,
    )


def _shape(size_hw: tuple[int, int], region: ProvidedRegion, name: str) -> Regions:
    """Geometry of one region; empty where it lies wholly outside the image."""
    if region.bbox_xyxy_px is not None:
        x0, y0, x1, y1 = _finite(region.bbox_xyxy_px, name, "bbox_xyxy_px", count=4)
        if x1 <= x0 or y1 <= y0:
            raise BadRegions(f"{name}: bbox_xyxy_px must be [x0, y0, x1, y1] with x0 < x1 and y0 < y1")
        outside = x0 >= size_hw[1] or y0 >= size_hw[0] or x1 <= 0 or y1 <= 0
        return Regions.empty(size_hw) if outside else Regions.from_boxes(size_hw, [(x0, y0, x1, y1)])
    if region.polygon_px is not None:
        for part in region.polygon_px:
            _finite(part, name, "polygon_px")
            if len(part) < 6 or len(part) % 2:
                raise BadRegions(f"{name}: polygon_px needs lists of at least 3 x, y pairs; got {len(part)} numbers")
        return Regions.from_polygons(size_hw, [[list(part) for part in region.polygon_px]])
    if region.rle is not None:
        return Regions.from_rles(size_hw, [region.rle])
    if region.point_xy_px is not None:
        return _point(size_hw, _finite(region.point_xy_px, name, "point_xy_px", count=2))
    return _stroke(size_hw, region.stroke_px or (), name)


def _point(size_hw: tuple[int, int], point: Sequence[float]) -> Regions:
    """A disc of 1.5 % of the shorter side round the point, and the point itself as the place to click."""
    height, width = size_hw
    x, y = float(point[0]), float(point[1])
    if not (0 <= x < width and 0 <= y < height):
        return Regions.empty(size_hw)
    mask = np.zeros(size_hw, np.uint8)
    cv2.circle(mask, (int(x), int(y)), max(3, round(0.015 * min(size_hw))), 1, cv2.FILLED)
    return Regions.from_masks(size_hw, [mask.astype(np.bool_)], points=[(x, y)])


def _stroke(size_hw: tuple[int, int], stroke: Sequence[Sequence[float]], name: str) -> Regions:
    """The pixels under a pen of 1 % of the shorter side drawn along the points."""
    if not stroke:
        raise BadRegions(f"{name}: stroke_px needs at least one [x, y] point")
    limit = 4.0 * max(size_hw)
    points = [_finite(point, name, "stroke_px") for point in stroke]
    odd = next((point for point in points if len(point) != 2), None)
    if odd is not None:
        raise BadRegions(f"{name}: stroke_px needs [x, y] points; got one of {len(odd)} numbers")
    pixels = np.floor(np.clip(np.array(points, np.float64), -limit, limit)).astype(np.int32).reshape(-1, 1, 2)
    mask = np.zeros(size_hw, np.uint8)
    cv2.polylines(mask, [pixels], isClosed=False, color=1, thickness=max(3, round(0.01 * min(size_hw))))
    return Regions.from_masks(size_hw, [mask.astype(np.bool_)])


def _finite(values: Iterable[float], name: str, field: str, count: int | None = None) -> tuple[float, ...]:
    """Numbers as floats; raises BadRegions if one is none or not finite, or if there are not `count` of them."""
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise BadRegions(f"{name}: {field} must hold numbers only") from None
    if not all(map(math.isfinite, numbers)):
        raise BadRegions(f"{name}: {field} holds a number that is not finite")
    if count is not None and len(numbers) != count:
        raise BadRegions(f"{name}: {field} needs {count} numbers; got {len(numbers)}")
    return numbers
