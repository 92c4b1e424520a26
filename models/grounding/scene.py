"""One request prepared for a model: which marks it is told of, which picture it sees, and how much time is left.

Called by `grounding.answer` and `grounding.select`. It decides by dialect and input size only, never by the model's name.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendDown, BadInput
from models.grounding.types import GroundRequest
from models.marks import Mark, paint, paint_for_model
from models.ranking import Candidate, Ranked, rank
from models.vlm.parse import find_mentions
from models.vlm.prompts import MAX_TEXT_CHARS, TableRow, table_row
from models.vlm.types import Dialect, VlmBackend, VlmRequest

SHORTLIST = 16
"""How many marks the small model is told of at once: more make its table longer than its context and its labels unreadable."""

# What a tokenizer spells by bytes (Chinese, say) must not push the question out of the model's context: 2,048 tokens for
# ours, of which 196 are the picture, and 4,096 for LLaVA-1.5.
_TEXT_BYTES: dict[Dialect, int] = {"tiny": 900, "general": 3_000}


class Scene:
    """A request with its clock. Marks keep their order everywhere."""

    def __init__(self, backend: VlmBackend, request: GroundRequest) -> None:
        """Raises BadInput when the picture and the regions are of different sizes."""
        if request.image.shape[:2] != request.regions.size_hw:
            raise BadInput(
                f"the picture is {request.image.shape[:2]} and its regions are for {request.regions.size_hw}"
            )
        self.backend = backend
        self.request = request
        self.marks = {mark.id: mark for mark in request.marking.marks}
        self.timing_ms: dict[str, float] = {}
        self._start = time.monotonic()
        self._ranked: list[Ranked] | None = None

    @property
    def small(self) -> bool:
        """Whether the model can be told of a few marks only."""
        return self.backend.dialect == "tiny"

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the block's time to `stage`."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.timing_ms[stage] = self.timing_ms.get(stage, 0.0) + (time.monotonic() - start) * 1000

    def total_ms(self) -> dict[str, float]:
        """Return all stages and their total so far, in milliseconds."""
        total = (time.monotonic() - self._start) * 1000
        return {stage: round(value, 3) for stage, value in (self.timing_ms | {"total": total}).items()}

    def ranked(self) -> list[Ranked]:
        """Return all marks by how well text, role and position fit the query, the best first."""
        if self._ranked is None:
            with self.timed("rank"):
                self._ranked = rank(self.request.query, [self._candidate(mark) for mark in self.marks.values()])
        return self._ranked

    def shortlist(self, *, filled: bool = False) -> tuple[str, ...]:
        """Return the ids to tell the model of, in mark order: all, or the query's own marks and the best ranked ones.

        Where there are too many for a small model, marks that share nothing with the query are left out unless `filled`; the
        result is empty if there are no others.
        """
        ids = tuple(self.marks)
        if not self.small or len(ids) <= SHORTLIST:
            return ids
        named = find_mentions(self.request.query, ids).marks
        best = [each.id for each in self.ranked() if filled or each.score > 0]
        kept = set(list(dict.fromkeys([*named, *best]))[:SHORTLIST])
        return tuple(mark_id for mark_id in ids if mark_id in kept)

    def rows(self, ids: Collection[str]) -> list[TableRow]:
        """Return the table rows of `ids` in mark order."""
        size_hw = self.request.regions.size_hw
        told = [mark for mark in self.marks.values() if mark.id in ids]
        room = _TEXT_BYTES[self.backend.dialect]
        texts = [(mark.text or "").encode(errors="replace")[: 4 * MAX_TEXT_CHARS] for mark in told]
        limit = None if sum(map(len, texts)) <= room else room // len(told)
        return [
            table_row(
                mark.id,
                mark.bbox_xyxy_px,
                size_hw,
                role=mark.role,
                text=mark.text if limit is None else text[:limit].decode(errors="ignore"),
            )
            for mark, text in zip(told, texts, strict=True)
        ]

    def picture(self, ids: Collection[str]) -> NDArray[np.uint8]:
        """Return what the model sees: the clean picture without tags, else one marked with `ids` at the model's size."""
        request = self.request
        with self.timed("paint"):
            if not request.tags:
                return request.image
            if self.backend.input_px is not None:
                shown = [mark for mark in self.marks.values() if mark.id in ids]
                regions = request.regions.take([mark.region_index for mark in shown])
                style = request.style or request.marking.style
                return paint_for_model(
                    request.image, regions, [mark.id for mark in shown], style, self.backend.input_px
                )
            return (
                request.overlay
                if request.overlay is not None
                else paint(request.image, request.regions, request.marking)
            )

    def ask(self, prompt: str, ids: Collection[str], max_tokens: int) -> VlmRequest:
        """Return the model's request about the picture of `ids`; raises BackendDown when the deadline is over."""
        picture = self.picture(ids)
        left_s = None
        if self.request.deadline_s is not None:
            left_s = self.request.deadline_s - (time.monotonic() - self._start)
            if left_s <= 0:
                raise BackendDown("the answer was not ready before its deadline")
        return VlmRequest(images=(picture,), prompt=prompt, max_tokens=max_tokens, deadline_s=left_s)

    def _candidate(self, mark: Mark) -> Candidate:
        return Candidate(
            id=mark.id,
            text=mark.text,
            role=mark.role,
            bbox_xyxy_px=mark.bbox_xyxy_px,
            size_hw=self.request.regions.size_hw,
        )
