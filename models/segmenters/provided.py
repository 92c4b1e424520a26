"""The `provided` segmenter: regions that the caller states, one by one or as an accessibility tree.

Named by `models.registry`. Looks at no pixel. Nothing is merged, reordered or improved; a region is dropped only where
nothing of it lies in the image. Geometry that cannot be meant raises BadRegions naming the region.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadRegions
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions

_GEOMETRIES = ("bbox_xyxy_px", "polygon_px", "rle", "point_xy_px", "stroke_px")
_MAX_TREE_NODES = 20_000
# Roles that only hold other nodes; they get a region only if they are a named leaf.
_CONTAINERS = frozenset(
    {
        "", "application", "article", "banner", "complementary", "contentinfo", "dialog", "document", "form", "generic",
        "grid", "group", "list", "main", "menu", "menubar", "navigation", "none", "presentation", "radiogroup", "region",
        "row", "rowgroup", "rootwebarea", "search", "section", "table", "tablist", "tabpanel", "toolbar", "tree",
        "treegrid", "webarea", "window",
    }
)  # fmt: skip


class ProvidedSegmenter:
    """Turns the caller's regions and accessibility tree into `Regions`, in the order given, tree last."""

    name = "provided"
    version = "1"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return the regions on `image` ((H, W, 3) uint8); raises BadRegions with the index or id of the bad one."""
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        stated = list(request.provided)
        if request.accessibility_tree is not None:
            stated += tree_regions(request.accessibility_tree, request.device_pixel_ratio)
        if not stated:
            raise BadRegions("the segmenter `provided` needs `regions` or an `accessibility_tree`")
        parts = [_region(size_hw, region, index) for index, region in enumerate(stated)]
        visible = [part for part in parts if len(part) and part.area_px(0) > 0]
        return Regions.concat(*visible) if visible else Regions.empty(size_hw)


def tree_regions(tree: Any, device_pixel_ratio: float = 1.0) -> list[ProvidedRegion]:
    """Flatten an accessibility tree to regions, parents before children.

    A node is `{"role", "name", "bbox" | "bbox_xyxy_px", "children"}`; `bbox` is `[x0, y0, x1, y1]` or
    `{"x", "y", "width", "height"}` in CSS pixels and is multiplied by `device_pixel_ratio`, `bbox_xyxy_px` is in pixels
    of the image. Controls, links and named leaves become regions; containers, hidden and boxless nodes do not. The id
    is the node's `id`, else its path, as in "0.2.1". Raises BadRegions if a node is malformed.
    """
    found = []
    for count, (path, node) in enumerate(_walk(tree)):
        if count >= _MAX_TREE_NODES:
            raise BadRegions(f"the accessibility tree has more than {_MAX_TREE_NODES} nodes")
        role = str(node.get("role") or "").lower()
        name = str(node.get("name") or node.get("value") or "").strip()
        box = _node_box(node, path, device_pixel_ratio)
        leaf = not node.get("children")
        if box is None or node.get("hidden") or (role in _CONTAINERS and not (leaf and name)):
            continue
        identity = str(node["id"]) if node.get("id") not in {None, ""} else path
        found.append(ProvidedRegion(id=identity, bbox_xyxy_px=box, text=name or None, role=role or None))
    return found


def _walk(tree: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (path, node) in document order, without recursion: a hostile tree may be deeper than the stack."""
    roots = tree if isinstance(tree, Sequence) and not isinstance(tree, str) else [tree]
    waiting = [(str(index), node) for index, node in reversed(list(enumerate(roots)))]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, Mapping):
            raise BadRegions(f"accessibility node {path} is not an object")
        children = node.get("children") or []
        if not isinstance(children, Sequence) or isinstance(children, str):
            raise BadRegions(f"accessibility node {path}: `children` is not a list")
        waiting.extend((f"{path}.{index}", child) for index, child in reversed(list(enumerate(children))))
        yield path, node


def _node_box(node: Mapping[str, Any], path: str, ratio: float) -> tuple[float, float, float, float] | None:
    """Box of a node in pixels of the image; None where it has none or an empty one."""
    raw = node.get("bbox_xyxy_px")
    scale = 1.0 if raw is not None else ratio
    raw = node.get("bbox") if raw is None else raw
    if raw is None:
        return None
    try:
        if isinstance(raw, Mapping):
            x, y = float(raw["x"]), float(raw["y"])
            values = [x, y, x + float(raw["width"]), y + float(raw["height"])]
        else:
            values = [float(value) for value in raw]
        x0, y0, x1, y1 = (value * scale for value in values)
    except (TypeError, ValueError, KeyError):
        raise BadRegions(f"accessibility node {path}: `bbox` must be four numbers [x0, y0, x1, y1]") from None
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise BadRegions(f"accessibility node {path}: `bbox` holds a number that is not finite")
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


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
