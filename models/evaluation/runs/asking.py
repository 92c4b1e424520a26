"""Puts one question to a model: the picture plain or marked, the answer as words or as the likeliest option.

SoM-LLaVA's tables have both rows, without tags and with ("-T", arXiv 2404.16375, section 5.3): the question stays the
same, only the picture changes. MMGiC chooses by likelihood among the options (its section E.2). Knows no file.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.errors import BadEvaluation
from models.evaluation.runs.questions import Question
from models.marks import STYLES, mark, paint_for_model, place
from models.regions import Regions
from models.vlm.types import VlmBackend, VlmRequest

Picture = NDArray[np.uint8]
Ask = Callable[[Question], str]
Choosing = Literal["text", "likelihood"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a run asks. `read` decodes a picture ((H, W, 3) uint8 RGB), `segment` is None for a run without tags."""

    backend: VlmBackend
    read: Callable[[Path | bytes], Picture]
    segment: Callable[[Picture], Regions] | None = None
    style: str = "som-llava"
    choosing: Choosing = "text"
    max_tokens: int = 1024
    # Pictures are made ready one at a time: what runs side by side is the waiting for a remote model.
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        """Check the style; raises BadEvaluation."""
        if self.style not in STYLES:
            raise BadEvaluation(f"there is no style {self.style!r}; known are {', '.join(STYLES)}")

    def __call__(self, question: Question) -> str:
        """Return the model's words, or the option it finds likeliest; raises what the backend and `read` raise."""
        with self.turn:
            picture = self._picture(self.read(question.image))
        request = VlmRequest(images=(picture,), prompt=question.prompt, max_tokens=self.max_tokens)
        if self.choosing == "text":
            return self.backend.generate(request).text
        if not question.options:
            raise BadEvaluation("a question without options can only be answered in words; choose by `text`")
        return self.backend.weigh(request, tuple(question.options)).best

    def _picture(self, pixels: Picture) -> Picture:
        if self.segment is None:
            return pixels
        regions = self.segment(pixels)
        if self.backend.input_px is None:
            return mark(pixels, regions, self.style)[0]
        marks = place(regions, self.style).marks
        shown = regions.take([one.region_index for one in marks])
        return paint_for_model(pixels, shown, [one.id for one in marks], self.style, self.backend.input_px)
