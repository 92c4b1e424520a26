"""Roles and names of DOM nodes by tag and attributes, for documents of which only a snapshot is at hand.

Used by `chromium` for a snapshot alone and for frames whose accessibility nodes are not in the tree. A shortened form of
what browsers do: HTML-AAM for roles, ACCNAME 2 for names (aria-labelledby, aria-label, alt, label, contents, title).
"""

from models.segmenters.accessibility.nodes import Node
from models.segmenters.accessibility.roles import TEXT_LEAF, normal_role
from models.segmenters.accessibility.snapshot import Document, Snapshot

_BY_TAG = {
    "A": "link", "BUTTON": "button", "SELECT": "combobox", "TEXTAREA": "textbox", "OPTION": "option", "IMG": "image",
    "SVG": "image", "CANVAS": "canvas", "VIDEO": "video", "IFRAME": "iframe", "EMBED": "embed", "OBJECT": "embed",
    "H1": "heading", "H2": "heading", "H3": "heading", "H4": "heading", "H5": "heading", "H6": "heading", "P": "text",
    "LI": "listitem", "TD": "cell", "TH": "columnheader", "LABEL": "label", "SUMMARY": "button", "CAPTION": "text",
    "FIGCAPTION": "text", "BLOCKQUOTE": "text", "PRE": "text", "DT": "text", "DD": "text", "PROGRESS": "progressbar",
    "METER": "progressbar", "UL": "list", "OL": "list", "TABLE": "table", "TR": "row", "NAV": "navigation",
    "MAIN": "main", "HEADER": "banner", "FOOTER": "contentinfo", "FORM": "form", "DIV": "generic", "SPAN": "span",
}  # fmt: skip
_BY_INPUT_TYPE = {
    "button": "button", "checkbox": "checkbox", "color": "button", "file": "button", "hidden": "ignored",
    "image": "button", "number": "spinbutton", "radio": "radio", "range": "slider", "reset": "button",
    "search": "searchbox", "submit": "button",
}  # fmt: skip
_UNSEEN = frozenset({"SCRIPT", "STYLE", "HEAD", "NOSCRIPT", "TEMPLATE", "TITLE", "META", "LINK"})
_NAMED_BY_CONTENTS = frozenset(
    {"button", "cell", "checkbox", "columnheader", "heading", "link", "menuitem", "option", "radio", "switch", "tab", "treeitem"}
)  # fmt: skip
_FORM = frozenset({"INPUT", "SELECT", "TEXTAREA"})
_ELEMENT_NODE, _TEXT_NODE = 1, 3
_MOST_LOOKED_AT = 1000


class DomReader:
    """Reads one document of a snapshot."""

    def __init__(self, snapshot: Snapshot, document: Document) -> None:
        self.snapshot, self.document = snapshot, document
        nodes = document.raw["nodes"]
        self._attributes = nodes["attributes"]
        self._types = nodes["nodeType"]
        self._values = nodes["nodeValue"]
        self._children: list[list[int]] = [[] for _ in document.parent]
        for index, above in enumerate(document.parent):
            if above >= 0:
                self._children[above].append(index)
        self._labels: dict[str, int] = {}
        self._by_id: dict[str, int] = {}
        for index, tag in enumerate(document.names):
            attributes = self.attributes(index) if tag[:1] not in {"#", ""} else {}
            if attributes.get("id"):
                self._by_id.setdefault(attributes["id"], index)
            if tag == "LABEL" and attributes.get("for"):
                self._labels.setdefault(attributes["for"], index)

    def read(self, first: int, parent: int) -> list[Node]:
        """Return a node per DOM node, to be put behind `first` others; the roots hang on `parent`."""
        hidden = [False] * len(self.document.parent)
        nodes = []
        for index, above in enumerate(self.document.parent):
            tag, attributes = self.document.names[index], self.attributes(index)
            hidden[index] = (above >= 0 and hidden[above]) or tag in _UNSEEN or attributes.get("aria-hidden") == "true"
            role = "ignored" if hidden[index] else self.role(index, attributes)
            text = role == TEXT_LEAF
            name = self.snapshot.string(self._values[index]) if text else self.name(index, role, attributes)
            nodes.append(
                Node(
                    id=str(self.document.backend_ids[index]),
                    role=role,
                    parent=parent if above < 0 else first + above,
                    name="" if hidden[index] or (text and not name.strip()) else name,
                    box=None if hidden[index] else self.snapshot.box(self.document, index),
                    clickable=index in self.document.clickable and tag not in {"HTML", "BODY"},
                )
            )
        return nodes

    def attributes(self, index: int) -> dict[str, str]:
        """The attributes of a node by name."""
        flat = [self.snapshot.string(value) for value in self._attributes[index]]
        return dict(zip(flat[::2], flat[1::2], strict=False))

    def role(self, index: int, attributes: dict[str, str]) -> str:
        """The role: the author's, else the tag's."""
        if self._types[index] == _TEXT_NODE:
            return TEXT_LEAF
        stated = attributes.get("role", "").split()
        if stated:
            return normal_role(stated[0])
        return (
            "ignored" if self._types[index] != _ELEMENT_NODE else _role_of_tag(self.document.names[index], attributes)
        )

    def name(self, index: int, role: str, attributes: dict[str, str]) -> str:
        """The name, by the first source that gives one."""
        pointed = [self._by_id[name] for name in attributes.get("aria-labelledby", "").split() if name in self._by_id]
        if pointed:
            return " ".join(self.text(node) for node in pointed)
        stated = attributes.get("aria-label") or attributes.get("alt")
        if stated:
            return stated
        if self.document.names[index] in _FORM:
            return self._name_of_field(index, role, attributes)
        return (self.text(index) if role in _NAMED_BY_CONTENTS else "") or attributes.get("title", "")

    def _name_of_field(self, index: int, role: str, attributes: dict[str, str]) -> str:
        if role == "button" and self.document.names[index] == "INPUT":
            return attributes.get("value") or attributes.get("title", "")
        label = self._labels.get(attributes.get("id", ""), self._wrapping_label(index))
        if label is not None:
            return self.text(label)
        return attributes.get("title") or attributes.get("placeholder", "")

    def text(self, index: int) -> str:
        """The text below a node, of its first thousand nodes: links nested in links must not make this quadratic."""
        found, waiting, looked_at = [], [index], 0
        while waiting and looked_at < _MOST_LOOKED_AT:
            node = waiting.pop()
            looked_at += 1
            if self._types[node] == _TEXT_NODE:
                found.append(self.snapshot.string(self._values[node]))
            elif self.document.names[node] == "IMG":
                found.append(self.attributes(node).get("alt", ""))
            elif self.document.names[node] not in _UNSEEN | {"SELECT"}:
                waiting.extend(reversed(self._children[node]))
        return " ".join(" ".join(found).split())

    def _wrapping_label(self, index: int) -> int | None:
        while index >= 0:
            if self.document.names[index] == "LABEL":
                return index
            index = self.document.parent[index]
        return None


def _role_of_tag(tag: str, attributes: dict[str, str]) -> str:
    """The role that HTML gives an element by itself."""
    if tag == "INPUT":
        return _BY_INPUT_TYPE.get(attributes.get("type", "text").lower(), "textbox")
    if tag == "A" and "href" not in attributes:
        return "generic"
    if tag == "SELECT" and ("multiple" in attributes or attributes.get("size", "1") not in {"", "0", "1"}):
        return "listbox"
    if attributes.get("contenteditable") in {"", "true"}:
        return "textbox"
    return _BY_TAG.get(tag, "generic")
