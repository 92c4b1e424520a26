"""Accessibility trees, in the forms that browsers give them, as regions to mark.

Called by the `provided` segmenter and by the fusion with pixels. It knows four forms: Chromium's DevTools trees
(`chromium`), Playwright's aria snapshot (`aria_text`) and plain nested objects (`nested`); what becomes an element is
decided in `nodes` alone.
"""

from collections.abc import Mapping
from typing import Any

from models.errors import BadRegions
from models.protocols import ProvidedRegion
from models.segmenters.accessibility.aria_text import read_aria_text
from models.segmenters.accessibility.chromium import read_chromium
from models.segmenters.accessibility.nested import read_nested
from models.segmenters.accessibility.nodes import THINNEST_CSS_PX, Node, elements
from models.segmenters.accessibility.roles import BLIND

__all__ = ["blind_share", "read_tree", "tree_regions"]


def tree_regions(tree: Any, size_hw: tuple[int, int], device_pixel_ratio: float = 1.0) -> list[ProvidedRegion]:
    """Return the elements of a tree as regions in pixels of an image of `size_hw`, parents before children.

    Ids are what an agent finds the element by again: the node's `id` or path, the ref of an aria snapshot, the
    backendDOMNodeId of a DevTools tree. Raises BadRegions if the tree is in no known form or malformed.
    """
    return elements(read_tree(tree, size_hw, device_pixel_ratio), THINNEST_CSS_PX * device_pixel_ratio)


def read_tree(tree: Any, size_hw: tuple[int, int], device_pixel_ratio: float = 1.0) -> list[Node]:
    """Return every node of a tree, whatever its form; raises BadRegions."""
    if isinstance(tree, Mapping) and isinstance(tree.get("aria_snapshot"), str):
        tree = tree["aria_snapshot"]
    if isinstance(tree, str):
        return read_aria_text(tree, device_pixel_ratio)
    if isinstance(tree, list) and tree and all(isinstance(one, Mapping) and "nodeId" in one for one in tree):
        raise BadRegions('a bare list of DevTools nodes has no boxes: send {"nodes": [...], "documents", "strings"}')
    if isinstance(tree, Mapping) and ("nodes" in tree or "documents" in tree):
        return read_chromium(tree, size_hw, device_pixel_ratio)
    return read_nested(tree, device_pixel_ratio)


def blind_share(nodes: list[Node], size_hw: tuple[int, int]) -> float:
    """Return the share (0-1) of the image under the largest thing whose inside the tree does not tell, a canvas say."""
    inner = {node.parent for node in nodes}
    areas = [
        (min(node.box[2], size_hw[1]) - max(node.box[0], 0.0)) * (min(node.box[3], size_hw[0]) - max(node.box[1], 0.0))
        for index, node in enumerate(nodes)
        if node.role in BLIND and node.box is not None and index not in inner
    ]
    return max(areas, default=0.0) / (size_hw[0] * size_hw[1])
