"""The plain form of a tree: objects with `role`, `name`, a box and `children`. Anyone can write it.

A node is `{"role", "name" | "value", "bbox" | "bbox_xyxy_px", "children", "id", "hidden"}`; `bbox` is
`[x0, y0, x1, y1]` or `{"x", "y", "width", "height"}` in CSS pixels of the window, `bbox_xyxy_px` is in pixels of the
image.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.errors import BadRegions
from models.segmenters.accessibility.nodes import Box, Node
from models.segmenters.accessibility.roles import normal_role

MAX_NODES = 20_000
_BOX_FIELDS = ("bbox_xyxy_px", "bbox")


def read_nested(tree: Any, ratio: float) -> list[Node]:
    """Return the nodes of a nested tree or list of trees; the id is the node's own, else its path as in "0.2.1".

    Raises BadRegions, also for a tree that names things and has not one box: in silence, the pixels alone would be marked.
    """
    nodes: list[Node] = []
    boxed = False
    for path, parent, node in _walk(tree):
        if len(nodes) >= MAX_NODES:
            raise BadRegions(f"the accessibility tree has more than {MAX_NODES} nodes")
        box = _box_of(node, path, ratio)
        boxed = boxed or any(node.get(field) is not None for field in _BOX_FIELDS)
        given = node.get("id")
        nodes.append(
            Node(
                id=path if given is None or given == "" else str(given),
                role=normal_role(str(node.get("role") or "")),
                parent=parent,
                name=str(node.get("name") or ""),
                value=str(node.get("value") or ""),
                box=None if node.get("hidden") else box,
            )
        )
    # A document's own root may have a title and nothing in it: such a tree tells nothing, and the pixels do.
    named = nodes[1:] if isinstance(tree, Mapping) else nodes
    if not boxed and any(node.name for node in named):
        raise BadRegions(
            "no node of the accessibility tree has a box: give nodes a `bbox` ([x0, y0, x1, y1] or x, y, width, height in CSS pixels)"
        )
    return nodes


def _walk(tree: Any) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yield (path, index of the parent, node) in document order, without recursion: a tree may be deeper than the stack."""
    roots = tree if isinstance(tree, Sequence) and not isinstance(tree, str) else [tree]
    waiting = [(str(index), -1, node) for index, node in reversed(list(enumerate(roots)))]
    count = 0
    while waiting:
        path, parent, node = waiting.pop()
        if not isinstance(node, Mapping):
            raise BadRegions(f"accessibility node {path} is not an object")
        children = node.get("children") or []
        if not isinstance(children, Sequence) or isinstance(children, str):
            raise BadRegions(f"accessibility node {path}: `children` is not a list")
        waiting.extend((f"{path}.{index}", count, child) for index, child in reversed(list(enumerate(children))))
        yield path, parent, node
        count += 1


def _box_of(node: Mapping[str, Any], path: str, ratio: float) -> Box | None:
    raw = node.get("bbox_xyxy_px")
    scale = 1.0 if raw is not None else ratio
    raw = node.get("bbox") if raw is None else raw
    return None if raw is None else read_box(raw, scale, f"accessibility node {path}: `bbox`")


def read_box(raw: Any, scale: float, what: str) -> Box | None:
    """Return a box in image pixels, None if it is empty; raises BadRegions that opens with `what`."""
    try:
        if isinstance(raw, Mapping):
            x, y = float(raw["x"]), float(raw["y"])
            values = [x, y, x + float(raw["width"]), y + float(raw["height"])]
        else:
            values = [float(value) for value in raw]
        x0, y0, x1, y1 = (value * scale for value in values)
    except (TypeError, ValueError, KeyError):
        raise BadRegions(f"{what} must be four numbers [x0, y0, x1, y1] or x, y, width, height") from None
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise BadRegions(f"{what} holds a number that is not finite")
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
