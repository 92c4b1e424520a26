"""A tree of interface elements in one form, whatever form it came in; and which of its nodes deserve a mark.

The readers beside this module make `Node`s with boxes in pixels of the image; `elements` chooses. The rules:

1. A node without a box, thinner than 1.5 CSS px, invisible, covered or outside the image is no element (the readers leave
   its box out; a child of it may still be one).
2. A control is an element, and everything inside it that is no control belongs to it.
3. Text is one element per paragraph, heading, cell or list item, less what its controls hold; text that stands in a mere
   container is an element of its own. A label whose text names a control is none.
4. Pictures outside controls are elements, and so is what the browser calls clickable, as `button`, if it holds text or a
   picture and no control.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.protocols import ProvidedRegion
from models.segmenters.accessibility.roles import BLIND, CONTENTS, CONTROLS, INLINE, PICTURES, TEXT_LEAF

Box = tuple[float, float, float, float]
THINNEST_CSS_PX = 1.5  # pages hide what is for screen readers only in a box of one pixel
LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node; parents come before their children. `box` is the visible part in image pixels, None if there is none.

    `value` is what a field holds; `parent` is an index into the list of nodes, -1 for a root.
    """

    id: str
    role: str
    parent: int
    name: str = ""
    value: str = ""
    box: Box | None = None
    clickable: bool = False


def elements(nodes: Sequence[Node], thinnest_px: float = THINNEST_CSS_PX) -> list[ProvidedRegion]:
    """Return the elements among `nodes`, in their order, with ids that are unique."""
    tree = _Tree(nodes)
    names_of_controls = {node.name for node in nodes if node.role in CONTROLS and node.name}
    found: list[ProvidedRegion] = []
    used: set[str] = set()
    for index, node in enumerate(nodes):
        role = tree.role_as_element(index)
        if role is None:
            continue
        text = _tidy(node.name or tree.own_text(index) or (node.value if role in CONTROLS else ""))
        if node.role == "label" and text in names_of_controls:
            continue
        box = tree.box_as_element(index, role)
        if box is None or min(box[2] - box[0], box[3] - box[1]) < thinnest_px:
            continue
        name = node.id if node.id and node.id not in used else f"{node.id}#{index}"
        used.add(name)
        found.append(ProvidedRegion(id=name, bbox_xyxy_px=box, text=text or None, role=role))
    return found


class _Tree:
    """Answers about one node from the nodes around it."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.texts: list[list[int]] = [[] for _ in nodes]  # text leaves that count as held by each node
        self.in_control = [False] * len(nodes)
        self.holds_control = [False] * len(nodes)
        self.childless = [True] * len(nodes)
        for index, node in enumerate(nodes):
            above = node.parent
            if above >= 0:
                self.childless[above] = False
                self.in_control[index] = self.in_control[above] or nodes[above].role in CONTROLS
            if node.role == TEXT_LEAF and node.name.strip():
                self.texts[self._holder(index)].append(index)
        for index in range(len(nodes) - 1, -1, -1):
            above = nodes[index].parent
            if above >= 0 and (self.holds_control[index] or nodes[index].role in CONTROLS):
                self.holds_control[above] = True

    def _holder(self, leaf: int) -> int:
        """The node that a text leaf belongs to: the nearest that is no inline wrapper, or the leaf itself."""
        above = self.nodes[leaf].parent
        while above >= 0 and self.nodes[above].role in INLINE and not self.nodes[above].clickable:
            above = self.nodes[above].parent
        holds = above >= 0 and (
            self.nodes[above].role in CONTENTS or self.nodes[above].role in CONTROLS or self.nodes[above].clickable
        )
        return above if holds else leaf

    def role_as_element(self, index: int) -> str | None:
        """The role under which a node is an element; None if it is none."""
        node = self.nodes[index]
        if node.role in CONTROLS:
            return node.role
        if self.in_control[index]:
            return None
        if node.clickable and not self.holds_control[index] and (self.texts[index] or node.name):
            return "button"
        if node.role in PICTURES or (node.role in BLIND and self.childless[index]):
            return node.role
        if node.role in CONTENTS:
            has_text = bool(self.texts[index]) or (bool(node.name) and not self.holds_control[index])
            return ("text" if node.role == "label" else node.role) if has_text else None
        alone = node.role == TEXT_LEAF and bool(self.texts[index])
        named_leaf = node.role != TEXT_LEAF and self.childless[index] and bool(node.name)
        return "text" if alone or named_leaf else None

    def own_text(self, index: int) -> str:
        """The text that a node holds itself."""
        return " ".join(self.nodes[leaf].name for leaf in self.texts[index])

    def box_as_element(self, index: int, role: str) -> Box | None:
        """The box of an element: that of its words where it is text and their boxes are known, else its own."""
        boxes = [box for leaf in self.texts[index] if (box := self.nodes[leaf].box) is not None]
        if not boxes or role not in {"heading", "listitem", "text"} or self.nodes[index].box is None:
            return self.nodes[index].box
        return (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )


def _tidy(text: str) -> str:
    return " ".join(text.split())[:LONGEST_TEXT]
