"""Painted look-alikes of marks, as the catalog keeps them and as bodies warn of them.

A mark set keeps them as JSON; mark sets and answers show them as `warnings`, and the mark that one is painted on as `lookalike`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from models.marks import LookAlike, mark_with


class WarningBody(TypedDict):
    """Something to know before acting: `painted_mark`, the image itself shows what looks like the mark `text`, on `mark` or on none."""

    kind: str
    text: str
    bbox_xyxy_px: list[float]
    mark: str | None


def kept_lookalikes(found: Sequence[LookAlike]) -> list[dict[str, Any]]:
    """Return what a mark set's row keeps."""
    return [{"text": each.text, "bbox_xyxy_px": list(each.bbox_xyxy_px)} for each in found]


def lookalikes_of(kept: Sequence[Mapping[str, Any]] | None) -> tuple[LookAlike, ...]:
    """Read what a row keeps; a row that was never stored keeps nothing."""
    found = []
    for each in kept or ():
        x0, y0, x1, y1 = each["bbox_xyxy_px"]
        found.append(LookAlike(text=each["text"], bbox_xyxy_px=(x0, y0, x1, y1)))
    return tuple(found)


def warnings(lookalikes: Sequence[LookAlike], boxes: Mapping[str, Sequence[float]]) -> list[WarningBody]:
    """Return one warning per look-alike; `boxes` are those of all marks of the image, by id."""
    return [
        {
            "kind": "painted_mark",
            "text": each.text,
            "bbox_xyxy_px": list(each.bbox_xyxy_px),
            "mark": mark_with(each, boxes),
        }
        for each in lookalikes
    ]
