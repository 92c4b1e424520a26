"""What Chromium's DevTools protocol gives: `Accessibility.getFullAXTree`, with boxes from elsewhere, or a snapshot alone.

Accepted is one object: `nodes` as getFullAXTree returned them (several frames' lists may be joined), and where the boxes
are: `documents` and `strings` of DOMSnapshot.captureSnapshot (with `computedStyles`, the list of styles it was asked
for), or `boxes`, from backendDOMNodeId to a box or to what DOM.getBoxModel returned. `documents` without `nodes` work
too; then roles and names come from the tags.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from models.errors import BadRegions
from models.segmenters.accessibility.dom import DomReader
from models.segmenters.accessibility.nested import MAX_NODES, read_box
from models.segmenters.accessibility.nodes import Box, Node
from models.segmenters.accessibility.roles import normal_role
from models.segmenters.accessibility.snapshot import Document, Snapshot

# Elements with something to see that accessibility trees leave out where the page gives them no name.
_SILENT = {"CANVAS": "canvas", "VIDEO": "video", "EMBED": "embed", "OBJECT": "embed"}
_Boxes = Callable[[int], tuple[Box | None, bool]]  # backend id -> visible box, clickable


def read_chromium(tree: Mapping[str, Any], size_hw: tuple[int, int], ratio: float) -> list[Node]:
    """Return the nodes of a DevTools tree on an image of `size_hw`; raises BadRegions."""
    snapshot = Snapshot(tree, size_hw, ratio) if "documents" in tree else None
    raw_nodes = tree.get("nodes")
    if raw_nodes is None and snapshot is None:
        raise BadRegions("the accessibility tree has neither `nodes` nor `documents`")
    if raw_nodes is not None and not isinstance(raw_nodes, list):
        raise BadRegions("`nodes` of the accessibility tree is not a list")
    if snapshot is None:
        return _read_nodes(raw_nodes or [], _stated_boxes(tree.get("boxes"), ratio))
    nodes = _read_nodes(raw_nodes or [], _snapshot_boxes(snapshot))
    for document in snapshot.documents:
        _add_document(nodes, snapshot, document)
    return nodes


def _add_document(nodes: list[Node], snapshot: Snapshot, document: Document) -> None:
    """Hang a frame's nodes on its frame; add what the tree leaves out: a whole document, or a canvas without contents."""
    places = {node.id: index for index, node in enumerate(nodes)}
    frame = places.get(str(document.frame_backend_id), -1)
    if not any(str(backend_id) in places for backend_id in document.backend_ids):
        try:
            nodes += DomReader(snapshot, document).read(len(nodes), frame)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise BadRegions("the DOM snapshot in the accessibility tree lacks `nodes` columns or strings") from None
        return
    root = places.get(str(document.backend_ids[0]), -1)
    if 0 <= frame < root:
        nodes[root] = replace(nodes[root], parent=frame)
    for index, (tag, backend_id) in enumerate(zip(document.names, document.backend_ids, strict=True)):
        place = places.get(str(backend_id))
        if tag not in _SILENT or (place is not None and nodes[place].role != "ignored"):
            continue
        box = snapshot.box(document, index)
        nodes.append(Node(id=str(backend_id), role=_SILENT[tag], parent=root, box=box))


def _read_nodes(raw_nodes: list[Any], boxes: _Boxes) -> list[Node]:
    """Put the flat list in document order and join it with its boxes."""
    if len(raw_nodes) > MAX_NODES:
        raise BadRegions(f"the accessibility tree has more than {MAX_NODES} nodes")
    position: dict[str, int] = {}
    nodes: list[Node] = []
    for raw, parent in _in_order(raw_nodes):
        try:
            backend = raw.get("backendDOMNodeId")
            box, clickable = boxes(int(backend)) if backend is not None else (None, False)
            position[str(raw["nodeId"])] = len(nodes)
            nodes.append(
                Node(
                    id=str(raw["nodeId"]) if backend is None else str(backend),
                    role="ignored" if raw.get("ignored") else normal_role(_value(raw, "role")),
                    parent=-1 if parent is None else position[parent],
                    name="" if raw.get("ignored") else _value(raw, "name"),
                    value="" if raw.get("ignored") else _value(raw, "value"),
                    box=None if raw.get("ignored") else box,
                    clickable=clickable and _value(raw, "role") != "RootWebArea",
                )
            )
        except (AttributeError, TypeError, ValueError):
            name = str(raw.get("nodeId"))[:40]
            raise BadRegions(f"accessibility node {name}: `role` and `name` must be objects with a `value`") from None
    return nodes


def _in_order(raw_nodes: list[Any]) -> list[tuple[Mapping[str, Any], str | None]]:
    """Every node with its parent's id, parents first and children in the order their parent states.

    getFullAXTree lists breadth first. Nodes below no known parent are roots; a loop is cut where it closes.
    """
    by_id: dict[str, Mapping[str, Any]] = {}
    for index, raw in enumerate(raw_nodes):
        if not isinstance(raw, Mapping) or "nodeId" not in raw:
            raise BadRegions(f"accessibility node {index} is not an object with a `nodeId`")
        by_id[str(raw["nodeId"])] = raw
    ordered: list[tuple[Mapping[str, Any], str | None]] = []
    done: set[str] = set()
    roots = [name for name, raw in by_id.items() if str(raw.get("parentId")) not in by_id]
    for start in [*roots, *by_id]:
        waiting: list[tuple[str, str | None]] = [(start, None)]
        while waiting:
            name, parent = waiting.pop()
            if name in done or name not in by_id:
                continue
            done.add(name)
            ordered.append((by_id[name], parent))
            children = by_id[name].get("childIds") or []
            if not isinstance(children, list):
                raise BadRegions(f"accessibility node {name[:40]}: `childIds` is not a list")
            waiting.extend((str(child), name) for child in reversed(children))
    return ordered


def _value(raw: Mapping[str, Any], field: str) -> str:
    """`{"type": ..., "value": ...}` as the protocol writes it, or a bare text."""
    stated = raw.get(field)
    if stated is None or isinstance(stated, str):
        return stated or ""
    value = stated.get("value")
    return "" if value is None else str(value)


def _snapshot_boxes(snapshot: Snapshot) -> _Boxes:
    places = {
        backend: (document, node)
        for document in snapshot.documents
        for node, backend in enumerate(document.backend_ids)
    }

    def box_of(backend: int) -> tuple[Box | None, bool]:
        if backend not in places:
            return None, False
        document, node = places[backend]
        clickable = node in document.clickable and document.names[node] not in {"HTML", "BODY"}
        return snapshot.box(document, node), clickable

    return box_of


def _stated_boxes(boxes: Any, ratio: float) -> _Boxes:
    """Boxes by backend id: a box in CSS pixels, or the answer of DOM.getBoxModel, whose `border` quad counts."""
    if not isinstance(boxes, Mapping):
        raise BadRegions(
            "the accessibility tree has `nodes` but no boxes: add `documents` and `strings` of "
            "DOMSnapshot.captureSnapshot, or `boxes` from backendDOMNodeId to [x0, y0, x1, y1]"
        )

    def box_of(backend: int) -> tuple[Box | None, bool]:
        raw = boxes.get(str(backend))
        if raw is None:
            return None, False
        what = f"`boxes` of accessibility node {backend}"
        model = raw.get("model", raw) if isinstance(raw, Mapping) else raw
        quad = model.get("border") if isinstance(model, Mapping) else None
        if isinstance(quad, list) and len(quad) == 8:
            try:
                xs, ys = [float(value) for value in quad[::2]], [float(value) for value in quad[1::2]]
            except (TypeError, ValueError):
                raise BadRegions(f"{what} holds what is no number") from None
            return read_box([min(xs), min(ys), max(xs), max(ys)], ratio, what), False
        return read_box(model, ratio, what), False

    return box_of
