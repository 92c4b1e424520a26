"""The model writes down what it sees before it is asked, and its notes stand before the question (MMGiC, appendix C.3).

Coarse notes are a caption, fine ones the names of what is there: on a marked picture a listing, mark by mark, so that a
question may lean on grounded labels. Both together are the paper's best. Zero-shot is a run without. A picture is
annotated once, however many questions are about it. Wraps the `Asking` of a run; knows no file.
"""

import threading
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from models.errors import BadEvaluation
from models.evaluation.runs.asking import Asking
from models.evaluation.runs.questions import AnyQuestion, Question
from models.vlm.prompts import LIST_TEMPLATES

Notes = Literal["caption", "labels", "both"]
NOTES: Final[tuple[Notes, ...]] = get_args(Notes)
_CAPTION: Final = "Say in one sentence what the picture shows."
_NAMES: Final = "Name the things in the picture, each once, with commas between them."
_TOKENS: Final = 256
_WORDED: Final = {"caption": "A description of the picture", "labels": "What is in the picture"}
KEPT: Final = 2_000
"""Pictures whose notes are remembered; questions about one picture stand close together in published files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfAnnotating:
    """Asks as `asking` does, after notes of the model's own; answer lines keep them under `self_annotations`."""

    asking: Asking
    notes: Notes
    _known: "dict[Hashable, Future[dict[str, str]]]" = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, question: AnyQuestion) -> dict[str, Any]:
        """Return the fields of an answer line; raises BadEvaluation for a question about marks, and what asking raises."""
        if not isinstance(question, Question):
            raise BadEvaluation(
                "a question that is answered by marks takes no notes; annotate POPE, GQA, SEED-Bench and the like"
            )
        written = self._written(question.image)
        told = "\n".join(f"{_WORDED[kind]}: {text}" for kind, text in written.items())
        return self.asking(replace(question, prompt=f"{told}\n{question.prompt}")) | {"self_annotations": written}

    def _written(self, image: Path | bytes | str) -> dict[str, str]:
        """Return the notes on a picture, written once: who asks about it meanwhile waits for them."""
        with self._lock:
            found = self._known.get(image)
            if mine := found is None:
                found = self._known[image] = Future()
                while len(self._known) > KEPT:
                    del self._known[next(iter(self._known))]
        if mine:
            try:
                kinds = ("caption", "labels") if self.notes == "both" else (self.notes,)
                found.set_result({kind: self._said(image, kind) for kind in kinds})
            except BaseException as exc:
                with self._lock:
                    self._known.pop(image, None)
                found.set_exception(exc)
        return found.result()

    def _said(self, image: Path | bytes | str, kind: str) -> str:
        """Return one note. A coarse one is of the bare picture: tags would only be described with it."""
        marked = kind == "labels" and self.asking.tags is not None
        prompt = LIST_TEMPLATES[0] if marked else _CAPTION if kind == "caption" else _NAMES
        asking = replace(self.asking, choosing="text", max_tokens=_TOKENS, tags=self.asking.tags if marked else None)
        text = asking(Question(key="note", image=image, prompt=prompt))["text"]
        return " ".join(str(text).split()) if kind == "caption" else str(text).strip()
