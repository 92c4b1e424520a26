"""A stored question -> what `models.grounding` is asked. The one place where the two meet, for workers and for the direct path.

A question is the body of `POST /v1/ground` as JSON values, without the image and the settings of its marks; a conversation adds
`instructions`, `earlier` and `max_tokens`. Knows no HTTP and opens no transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.formats.lookalikes import lookalikes_of
from models.grounding import Captions, GroundRequest, MarkedPicture, Turn
from models.marks import Marking
from models.protocols import PIXELS_ONLY
from models.regions import Regions

MAX_TOKENS = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """The marked picture that is asked about, and the second one of `correspond`."""

    picture: MarkedPicture
    target: MarkedPicture | None = None


def marked_picture(
    image: NDArray[np.uint8],
    overlay: NDArray[np.uint8] | None,
    regions: Regions,
    marking: Marking,
    settings: dict[str, Any],
    lookalikes: Sequence[Mapping[str, Any]] | None = None,
    captions: Captions | None = None,
) -> MarkedPicture:
    """Return a marked picture with what the settings of its mark set say about the screen, and what it keeps of look-alikes."""
    stated = settings.get("regions")
    own = {region.get("id") or str(i) for i, region in enumerate(stated)} if isinstance(stated, list) else set()
    tree = settings.get("accessibility_tree") is not None and (stated is None or isinstance(stated, list))
    return MarkedPicture(
        image=image,
        overlay=overlay,
        regions=regions,
        marking=marking,
        device_pixel_ratio=settings.get("device_pixel_ratio", 1.0),
        from_tree=frozenset(
            mark.id
            for mark in marking.marks
            if tree and mark.region_id not in own and not mark.region_id.startswith(PIXELS_ONLY)
        ),
        lookalikes=lookalikes_of(lookalikes),
        captions=captions,
    )


def queries_of(question: dict[str, Any]) -> list[str]:
    """The queries of a request, at least one; an empty one where the task needs none in words."""
    return [str(query) for query in question["queries"] or [question["query"] or ""]]


def request_of(question: dict[str, Any], query: str, pictures: Pictures, *, left_s: float | None) -> GroundRequest:
    """Return the request for one of the queries; `left_s` is the time for its answer, None for no limit."""
    picture = pictures.picture
    return GroundRequest(
        image=picture.image,
        overlay=picture.overlay,
        regions=picture.regions,
        marking=picture.marking,
        target=pictures.target,
        query=query,
        task=question["task"],
        tags=question["tags"],
        constrain=None if question["constrain"] else False,
        choices=tuple(question.get("choices") or ()),
        instructions=question.get("instructions") or "",
        earlier=tuple(Turn(role=turn["role"], text=turn["text"]) for turn in question.get("earlier") or ()),
        max_tokens=question.get("max_tokens") or MAX_TOKENS,
        deadline_s=left_s,
        device_pixel_ratio=picture.device_pixel_ratio,
        from_tree=picture.from_tree,
        lookalikes=picture.lookalikes,
        captions=picture.captions,
    )
