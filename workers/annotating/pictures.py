"""A marked image of the catalog as writers see it: its marks now, its pixels when they are asked for."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Literal

from app.catalog.tables import MarkSetRow
from models.grounding import GroundRequest, ground
from models.marks import paint_marking_for_model
from models.vlm.types import EncodedPicture, Picture, VlmBackend
from models.writers.types import Reply, TaggedMark
from workers.context import JobContext
from workers.marking import Marked, stored_marks

# Names that people stated: a teacher that is told them teaches nothing. What a recogniser read off the picture it may know.
_STATED = ("facts", "provided")


class CatalogPicture:
    """Implements `TaggedPicture`; used by one thread at a time."""

    def __init__(
        self,
        marks: tuple[TaggedMark, ...],
        size_hw: tuple[int, int],
        *,
        overlay_png: Callable[[], bytes],
        load: Callable[[], Marked],
    ) -> None:
        self.marks, self.size_hw = marks, size_hw
        self._overlay_png, self._load = overlay_png, load

    def picture(self, input_px: int | None = None) -> Picture:
        """See `TaggedPicture.picture`: the stored overlay travels as the file that it is."""
        if input_px is None:
            return EncodedPicture(media_type="image/png", data=self._overlay_png())
        marked = self._marked
        return paint_marking_for_model(marked.pixels, marked.regions, marked.marking, input_px)

    def grounded(self, backend: VlmBackend, task: Literal["list", "ask"], query: str) -> Reply:
        """See `TaggedPicture.grounded`."""
        began = time.monotonic()
        marked = self._marked
        marking, regions = marked.marking, marked.regions
        if marked.mark_set is not None and marked.mark_set.segmenter_name in _STATED:
            unnamed = (None,) * len(regions)
            regions = replace(regions, texts=unnamed, roles=unnamed)
            marking = replace(marking, marks=tuple(replace(mark, text=None, role=None) for mark in marking.marks))
        request = GroundRequest(
            image=marked.pixels,
            overlay=marked.overlay,
            regions=regions,
            marking=marking,
            query=query,
            task=task,
        )
        result = ground(backend, request)
        return Reply(
            text=result.text,
            prompt_tokens=result.prompt_tokens,
            completion_tokens=result.completion_tokens,
            finish_reason=result.finish_reason,
            latency_s=time.monotonic() - began,
        )

    @cached_property
    def _marked(self) -> Marked:
        return self._load()


def stored_picture(
    job: JobContext, row: MarkSetRow, marks: tuple[TaggedMark, ...] = (), size_hw: tuple[int, int] = (0, 0)
) -> CatalogPicture:
    """A picture whose marks are in the catalog."""
    return CatalogPicture(
        marks,
        size_hw,
        overlay_png=partial(job.resources.blobs.get, row.overlay_blob_key),
        load=partial(stored_marks, job, row.id),
    )


def tagged_marks(marked: Marked) -> tuple[TaggedMark, ...]:
    """The marks of an image that was just marked."""
    return tuple(
        tagged_mark(mark.id, mark.bbox_xyxy_px, text=mark.text, role=mark.role) for mark in marked.marking.marks
    )


def tagged_mark(
    mark_id: str, bbox_xyxy_px: tuple[float, float, float, float], *, text: str | None, role: str | None
) -> TaggedMark:
    """A mark whose name is its region's text, else its role."""
    name = (text or "").strip() or (role or "").strip() or None
    return TaggedMark(id=mark_id, name=name, bbox_xyxy_px=bbox_xyxy_px, text=text, role=role)
