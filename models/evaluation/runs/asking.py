"""Puts one question to a model: the picture plain or marked, the answer as words or as the likeliest option.

SoM-LLaVA's tables have both rows, without tags and with ("-T", arXiv 2404.16375, section 5.3): the question stays the
same, only the picture changes. MMGiC chooses by likelihood among the options (its section E.2). Knows no file.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.runs.marked import AskingMarks, Choosing
from models.evaluation.runs.pictures import PictureAt
from models.evaluation.runs.questions import AnyQuestion, Question
from models.evaluation.runs.tags import Picture, Tags
from models.evaluation.runs.tasks import MarkQuestion
from models.evaluation.runs.together import under_way
from models.grounding import Decide
from models.vlm.types import VlmBackend, VlmRequest

Ask = Callable[[Any], dict[str, Any]]
"""Question -> the fields of its answer line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a run asks. `read` decodes a picture ((H, W, 3) uint8 RGB), `tags` is None for a run without."""

    backend: VlmBackend
    read: Callable[[PictureAt], Picture]
    tags: Tags | None = None
    choosing: Choosing = "text"
    decide: Decide = "model"
    max_tokens: int = 1024
    # Pictures are made ready one at a time: what runs side by side is the waiting for a remote model.
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, question: AnyQuestion) -> dict[str, Any]:
        """Return the model's words, or the option it finds likeliest; raises what the backend and `read` raise."""
        with under_way(self.backend):
            return self._asked(question)

    def _asked(self, question: AnyQuestion) -> dict[str, Any]:
        if isinstance(question, MarkQuestion):
            return self._about_marks(question)
        with self.turn:
            picture = self.read(question.image)
            shown = picture if self.tags is None else self.tags.painted(picture, self.backend, question.regions)
        request = VlmRequest(images=(shown,), prompt=question.prompt, max_tokens=self.max_tokens)
        return {question.answer_field: self._answer(question, request)}

    def shown(self, question: AnyQuestion) -> Picture:
        """Return the question's picture, with its marks if the run has any, at its own size."""
        picture = self.read(question.image)
        if self.tags is None:
            return picture
        return self.tags.marked(picture, question.regions)

    def _answer(self, question: Question, request: VlmRequest) -> str:
        if self.choosing == "text":
            return self.backend.generate(request).text
        if not question.options:
            raise BadEvaluation("a question without options can only be answered in words; choose by `text`")
        return self.backend.weigh(request, tuple(question.options)).best

    def _about_marks(self, question: MarkQuestion) -> dict[str, Any]:
        asking = AskingMarks(
            backend=self.backend,
            read=self.read,
            tags=self.tags,
            choosing=self.choosing,
            decide=self.decide,
            turn=self.turn,
        )
        return asking(question)
