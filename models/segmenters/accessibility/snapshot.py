"""Geometry of a page from CDP `DOMSnapshot.captureSnapshot`: where each DOM node is seen in the image, if at all.

Used by `chromium`. Measured on Chromium 156: bounds are in CSS pixels of their document under an emulated pixel ratio,
in device pixels under a real one, and never less the scroll offset; the root's own bounds are the window. So the scale
comes from comparing the window (or the whole page, for a full-page screenshot) with the image, and the ratio that the
caller states is only the fallback.

A node is not seen where it has no layout; where its box, cut at frames and at ancestors that clip, is empty; where
`visibility` hides it or opacity comes down to under 0.05 (form controls stay: pages draw their own over them); or where
at least nine tenths of it lie under one opaque box painted later that is none of its own parts. The last four need the
computed styles named in `STYLES` and `includePaintOrder`; frames with a border need `includeDOMRects`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadRegions
from models.segmenters.accessibility.nodes import THINNEST_CSS_PX, Box

STYLES = ("visibility", "opacity", "overflow-x", "position", "background-color")
MAX_DOM_NODES = 100_000
_CLIPPING = frozenset({"hidden", "auto", "scroll", "clip"})
_FORM = frozenset({"INPUT", "SELECT", "TEXTAREA"})
_COVERED = 0.9


@dataclass(slots=True, kw_only=True)
class Document:
    """One frame's document: columns by node index, and what was worked out for them."""

    index: int
    raw: Mapping[str, Any]
    parent: list[int]
    names: list[str]
    backend_ids: list[int]
    rows: dict[int, int]  # node -> layout row
    clickable: frozenset[int]
    frames: dict[int, int]  # node -> index of the document inside it
    frame_backend_id: int | None = None  # of the element that holds this document
    seen: dict[int, Box] = field(default_factory=dict)  # node -> visible box in image pixels
    paint: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """How a document's coordinates become image pixels: (value + offset) * scale, cut at `clip`."""

    offset_xy: tuple[float, float]
    scale: float
    clip: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cover:
    """An opaque box that may hide what was painted before it."""

    document: int
    node: int
    paint: int
    box: Box


class Snapshot:
    """The documents of a page with what is seen of them in an image of `size_hw`; raises BadRegions if unreadable."""

    def __init__(self, tree: Mapping[str, Any], size_hw: tuple[int, int], ratio: float) -> None:
        self.strings: list[str] = []
        self.documents: list[Document] = []
        self._covers: list[_Cover] = []
        self._cover_boxes: NDArray[np.float64] | None = None  # (M, 5): box, paint order
        self._holders: dict[int, tuple[int, int]] = {}  # document -> the document and node that hold it
        try:
            self.strings = [str(text) for text in tree["strings"]]
            self._styles = [str(name) for name in tree.get("computedStyles") or ()]
            self.documents = [self._document(index, raw) for index, raw in enumerate(tree["documents"])]
            if sum(len(document.parent) for document in self.documents) > MAX_DOM_NODES:
                raise BadRegions(f"the DOM snapshot has more than {MAX_DOM_NODES} nodes")
            self._place(_root_frame(self.documents[0].raw, size_hw, ratio))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise BadRegions(
                "the DOM snapshot in the accessibility tree cannot be read; send `documents` and `strings` "
                "as DOMSnapshot.captureSnapshot returned them"
            ) from None

    def string(self, index: int) -> str:
        """The string of that number, empty for -1."""
        return self.strings[index] if 0 <= index < len(self.strings) else ""

    def box(self, document: Document, node: int) -> Box | None:
        """The visible part of a node in image pixels; None if nothing of it is seen."""
        box = document.seen.get(node)
        return None if box is None or self._is_covered(document, node, box) else box

    def _document(self, index: int, raw: Mapping[str, Any]) -> Document:
        nodes, layout = raw["nodes"], raw["layout"]
        parent = [int(value) for value in nodes["parentIndex"]]
        if any(above >= position for position, above in enumerate(parent)):
            raise ValueError
        rows: dict[int, int] = {}
        for row, node in enumerate(layout["nodeIndex"]):
            if not 0 <= node < len(parent):
                raise ValueError
            rows.setdefault(int(node), row)
        inside = nodes.get("contentDocumentIndex") or {"index": [], "value": []}
        return Document(
            index=index,
            raw=raw,
            parent=parent,
            names=[self.string(value).upper() for value in nodes["nodeName"]],
            backend_ids=[int(value) for value in nodes["backendNodeId"]],
            rows=rows,
            clickable=frozenset((nodes.get("isClickable") or {}).get("index") or ()),
            frames=dict(zip(inside["index"], inside["value"], strict=True)),
        )

    def _place(self, root: _Frame) -> None:
        """See every document, frames after the documents that hold them."""
        waiting, done = [(0, root)], {0}
        while waiting:
            number, frame = waiting.pop()
            document = self.documents[number]
            self._see(document, frame)
            for node, inner in document.frames.items():
                if inner in done or not 0 < inner < len(self.documents) or node not in document.seen:
                    continue
                done.add(inner)
                self._holders[inner] = (number, node)
                self.documents[inner].frame_backend_id = document.backend_ids[node]
                waiting.append((inner, self._inner_frame(document, node, self.documents[inner], frame)))

    def _inner_frame(self, document: Document, node: int, inner: Document, frame: _Frame) -> _Frame:
        """The window of a frame: inside the border of its element, less its own scrolling."""
        row = document.rows[node]
        x, y = (float(value) for value in document.raw["layout"]["bounds"][row][:2])
        edges = (document.raw["layout"].get("clientRects") or {row: ()})[row]
        left, top = (float(value) for value in edges[:2]) if len(edges) >= 2 else (0.0, 0.0)
        offset = (
            frame.offset_xy[0] + x + left - float(inner.raw.get("scrollOffsetX") or 0),
            frame.offset_xy[1] + y + top - float(inner.raw.get("scrollOffsetY") or 0),
        )
        return _Frame(offset_xy=offset, scale=frame.scale, clip=document.seen[node])

    def _see(self, document: Document, frame: _Frame) -> None:
        """Work out the visible boxes of one document."""
        layout = document.raw["layout"]
        bounds, orders = layout["bounds"], layout.get("paintOrders") or []
        clips: list[Box] = []
        opacity: list[float] = []
        for node, above in enumerate(document.parent):
            style = self._style(document, node)
            clip = frame.clip if above < 0 or style.get("position") == "fixed" else clips[above]
            opaque = (1.0 if above < 0 else opacity[above]) * float(style.get("opacity") or 1)
            opacity.append(opaque)
            clips.append(clip)
            row = document.rows.get(node)
            if row is None:
                continue
            x, y, width, height = (float(value) for value in bounds[row])
            (dx, dy), scale = frame.offset_xy, frame.scale
            whole = ((x + dx) * scale, (y + dy) * scale, (x + width + dx) * scale, (y + height + dy) * scale)
            if style.get("overflow-x") in _CLIPPING and document.names[node] not in {"HTML", "BODY"}:
                clips[node] = cut(whole, clip) or (0.0, 0.0, 0.0, 0.0)
            box = cut(whole, clip)
            hidden = style.get("visibility", "visible") != "visible"
            faded = opaque < 0.05 and document.names[node] not in _FORM
            if box is None or hidden or faded or min(box[2] - box[0], box[3] - box[1]) < THINNEST_CSS_PX * scale:
                continue
            document.seen[node] = box
            if row < len(orders):
                document.paint[node] = int(orders[row])
                if opaque > 0.95 and _is_opaque(style.get("background-color", "")):
                    self._covers.append(_Cover(document=document.index, node=node, paint=document.paint[node], box=box))

    def _style(self, document: Document, node: int) -> dict[str, str]:
        """Computed styles of a node by name; empty for text, for nodes without layout and where none were taken."""
        row = document.rows.get(node)
        if row is None or not self._styles:
            return {}
        values = document.raw["layout"]["styles"][row]
        return dict(zip(self._styles, map(self.string, values), strict=False))

    def _is_covered(self, document: Document, node: int, box: Box) -> bool:
        paint = document.paint.get(node)
        if paint is None or not self._covers:
            return False
        if self._cover_boxes is None:
            self._cover_boxes = np.array([(*cover.box, cover.paint) for cover in self._covers])
        x0, y0, x1, y1, paints = self._cover_boxes.T
        wide = np.clip(np.minimum(x1, box[2]) - np.maximum(x0, box[0]), 0, None)
        high = np.clip(np.minimum(y1, box[3]) - np.maximum(y0, box[1]), 0, None)
        area = (box[2] - box[0]) * (box[3] - box[1])
        above = np.flatnonzero((paints > paint) & (wide * high >= _COVERED * area)).tolist()
        return any(not self._is_part(self._covers[index], document, node) for index in above)

    def _is_part(self, cover: _Cover, document: Document, node: int) -> bool:
        """True if a box belongs to the node itself: it lies below it in the tree, or in the frame that it is."""
        inner = self.documents[cover.document]
        while inner.index != document.index and inner.frame_backend_id is not None:
            holder = self._holders[inner.index]
            inner, cover = self.documents[holder[0]], replace(cover, document=holder[0], node=holder[1])
        return inner.index == document.index and _is_inside(document.parent, cover.node, node)


def cut(box: Box, clip: Box) -> Box | None:
    """The part of a box inside another; None if that is empty."""
    x0, y0, x1, y1 = max(box[0], clip[0]), max(box[1], clip[1]), min(box[2], clip[2]), min(box[3], clip[3])
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _root_frame(raw: Mapping[str, Any], size_hw: tuple[int, int], ratio: float) -> _Frame:
    """Take the image for the window, else for the whole page, whichever has its shape; else scale by `ratio`."""
    height, width = size_hw
    _, _, window_width, window_height = (float(value) for value in raw["layout"]["bounds"][0])
    scroll = (-float(raw.get("scrollOffsetX") or 0), -float(raw.get("scrollOffsetY") or 0))
    clip = (0.0, 0.0, float(width), float(height))
    if _same_shape(window_width, window_height, width, height):
        return _Frame(offset_xy=scroll, scale=width / window_width, clip=clip)
    page_width, page_height = float(raw.get("contentWidth") or 0), float(raw.get("contentHeight") or 0)
    if _same_shape(page_width, page_height, width, height):
        return _Frame(offset_xy=(0.0, 0.0), scale=width / page_width, clip=clip)
    return _Frame(offset_xy=scroll, scale=ratio, clip=clip)


def _same_shape(width: float, height: float, image_width: int, image_height: int) -> bool:
    """True if an image shows exactly this area: both sides have one scale, up to a pixel of rounding or a scrollbar."""
    if width < 1 or height < 1:
        return False
    return abs(image_width / width * height - image_height) <= max(2.0, 0.02 * image_height)


def _is_opaque(color: str) -> bool:
    return color.startswith("rgb(") or (color.startswith("rgba(") and color.rstrip(") ").endswith(" 1"))


def _is_inside(parent: list[int], node: int, ancestor: int) -> bool:
    while node > ancestor:
        node = parent[node]
    return node == ancestor
