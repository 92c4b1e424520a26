"""Playwright's aria snapshot with boxes, as text: `page.aria_snapshot(mode="ai", boxes=True)`.

A line is `- role "name" [ref=e5] [box=x,y,width,height]: text`, indented by its depth; boxes are whole CSS pixels of the
window, in a frame of that frame's window. The ids are the refs, so that `page.locator("aria-ref=e5")` is the element
that a mark names. Written from what Chromium 156 and Playwright 1.65 return.
"""

import json
import re
from dataclasses import dataclass

from models.errors import BadRegions
from models.segmenters.accessibility.nested import MAX_NODES
from models.segmenters.accessibility.nodes import Box, Node
from models.segmenters.accessibility.roles import TEXT_LEAF, normal_role

_LINE = re.compile(
    r'^(?P<role>[\w-]+)(?: (?P<name>"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/))?(?P<marks>(?: \[[^\]]*\])*)\s*(?::\s*(?P<text>.*))?$'
)
_MARK = re.compile(r"\[([\w-]+)(?:=([^\]]*))?\]")
_QUOTED_KEY = re.compile(r"^'((?:[^']|'')*)'(.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A node whose children may follow: its depth, index and frame."""

    depth: int
    index: int
    origin_xy: tuple[float, float]
    clip: Box | None


def read_aria_text(text: str, ratio: float) -> list[Node]:
    """Return the nodes of a snapshot, boxes multiplied by `ratio`; raises BadRegions that names the line."""
    if "[box=" not in text:
        raise BadRegions(
            'the aria snapshot has no boxes; take it by page.aria_snapshot(mode="ai", boxes=True) (Playwright 1.60 or newer)'
        )
    nodes: list[Node] = []
    above = [_Open(depth=-1, index=-1, origin_xy=(0.0, 0.0), clip=None)]
    for number, line in enumerate(text.splitlines(), 1):
        body = line.strip()
        if not body or body.startswith("- /"):  # "- /url: ..." is a property of the node above it
            continue
        depth = len(line) - len(line.lstrip())
        while above[-1].depth >= depth:
            above.pop()
        if len(nodes) >= MAX_NODES:
            raise BadRegions(f"the accessibility tree has more than {MAX_NODES} nodes")
        role, name, marks, content = _parse(body, number)
        holder = above[-1]
        box = _box(marks.get("box"), holder, number)
        index = len(nodes)
        box_px = None if box is None else (box[0] * ratio, box[1] * ratio, box[2] * ratio, box[3] * ratio)
        nodes.append(
            Node(
                id=marks.get("ref") or f"line-{number}",
                role=TEXT_LEAF if role == "text" else normal_role(role),
                parent=holder.index,
                name=content if role == "text" else name,
                box=box_px,
                clickable=marks.get("cursor") == "pointer",
            )
        )
        if content and role != "text":
            nodes.append(Node(id=f"line-{number}", role=TEXT_LEAF, parent=index, name=content, box=box_px))
        framed = role == "iframe" and box is not None
        origin, clip = ((box[0], box[1]), box) if framed and box is not None else (holder.origin_xy, holder.clip)
        above.append(_Open(depth=depth, index=index, origin_xy=origin, clip=clip))
    return nodes


def _parse(body: str, number: int) -> tuple[str, str, dict[str, str], str]:
    """Role, name, marks in brackets and the text behind the colon of one line."""
    item = body.removeprefix("- ")
    quoted = _QUOTED_KEY.match(item)
    if quoted is not None:  # YAML quotes a key that holds ": "
        item = quoted[1].replace("''", "'") + quoted[2]
    found = _LINE.match(item)
    if found is None or not body.startswith("- "):
        raise BadRegions(f'line {number} of the aria snapshot is not `- role "name" [box=x,y,width,height]`')
    name = found["name"] or ""
    marks = {key: value or "" for key, value in _MARK.findall(found["marks"] or "")}
    return found["role"], _unquoted(name), marks, _unquoted((found["text"] or "").strip())


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text


def _box(raw: str | None, holder: _Open, number: int) -> Box | None:
    """A box in CSS pixels of the page's window, cut at the frame it stands in."""
    if raw is None:
        return None
    try:
        x, y, width, height = (float(part) for part in raw.split(","))
    except ValueError:
        raise BadRegions(f"line {number} of the aria snapshot: a box is x,y,width,height, not {raw[:40]!r}") from None
    x, y = x + holder.origin_xy[0], y + holder.origin_xy[1]
    box = (x, y, x + width, y + height)
    if holder.clip is not None:
        left, top, right, bottom = holder.clip
        box = (max(box[0], left), max(box[1], top), min(box[2], right), min(box[3], bottom))
    return box if box[2] > box[0] and box[3] > box[1] else None
