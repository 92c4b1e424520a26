"""What a writer is given and what it gives back. Writers implement `Writer`, `workers.annotating` runs them.

A writer computes on values only. It lets BackendDown pass (the teacher is away: the runtime waits and gives it the same
subject again) and answers everything else itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from models.facts import ImageFacts
from models.vlm.types import Dialect, FinishReason, Message, Picture, VlmBackend

__all__ = [
    "CHECKS_FAILED",
    "CUT",
    "TEXT_KINDS",
    "Draft",
    "FinishReason",
    "Message",
    "Picture",
    "Reply",
    "Similarity",
    "Subject",
    "TaggedMark",
    "TaggedPicture",
    "Teacher",
    "TextKind",
    "Turn",
    "Writer",
    "WriterOptions",
    "dialogue",
]

TextKind = Literal["listing", "conversation", "reasoning", "referring", "description", "concept_document"]
TEXT_KINDS: tuple[TextKind, ...] = (
    "listing",
    "conversation",
    "reasoning",
    "referring",
    "description",
    "concept_document",
)

CHECKS_FAILED = "checks_failed"
"""Key of a draft's provenance: the sentences that say what is still wrong with a text that was kept for review.

A text that carries a non-empty one is left out of datasets until a person accepts or edits it.
"""

CUT = "cut_xyxy_px"
"""Key of a draft's provenance: the part of the image that the text is about, [x0, y0, x1, y1] in whole pixels.

A text that carries one is trained on with that part as its picture.
"""

IMAGE = "<image>"

Turn = TypedDict("Turn", {"from": Literal["human", "gpt"], "value": str})
"""One turn in LLaVA's own form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a teacher said to one question; `latency_s` is how long it took. Counts are 0 where the server gives none."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: FinishReason = "stop"
    latency_s: float = 0.0


class Similarity(Protocol):
    """How well captions fit a picture."""

    def __call__(self, pixels: NDArray[np.uint8], captions: Sequence[str]) -> Sequence[float]:
        """Return one similarity per caption, in order; larger is better. `pixels` are (H, W, 3) uint8 RGB."""
        ...


class Ledger(Protocol):
    """What the workers of one order have found out, kept where all of them see it; safe between threads."""

    def find(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return what is kept under those of `keys` that anything is kept under."""
        ...

    def keep(self, key: str, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep what was found, unless somebody was quicker; return what is kept."""
        ...


class Teacher(Protocol):
    """A model that writes for us. `dialect` "tiny" is our own small one: it answers single short questions only.

    `backend` is the same model as grounding knows it, None where it only chats.
    """

    name: str
    version: str
    dialect: Dialect
    input_px: int | None
    backend: VlmBackend | None

    def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 1_024,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> Reply:
        """Answer the last of `messages`; without a temperature, at the one that the order set.

        Raises BackendDown (away, overloaded, too slow: let it pass), BadInput (this question can never be answered, too
        long for instance), BadOutput (an answer came, but no text), Refused (a BadOutput: the provider declined).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedMark:
    """A mark on a tagged picture, in mark order. `name` is the region's text, else its role, else None."""

    id: str
    name: str | None
    bbox_xyxy_px: tuple[float, float, float, float]
    text: str | None = None
    role: str | None = None


class TaggedPicture(Protocol):
    """A marked image; pixels are read when they are first asked for."""

    marks: tuple[TaggedMark, ...]
    size_hw: tuple[int, int]

    def picture(self, input_px: int | None = None) -> Picture:
        """The picture with its marks painted on, as stored, or placed anew at a square of `input_px` pixels."""
        ...

    def grounded(self, backend: VlmBackend, task: Literal["list", "ask"], query: str) -> Reply:
        """What grounding gets out of a small model, which is told of a few marks at a time; raises like `ask`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One image to write about. `seed` is the image's own, made of the order's seed and the image's id.

    `facts` are what all chosen sources say, merged; `tagged` is there for writers of tagged texts only. `pixels` reads the
    untagged image, (H, W, 3) uint8 RGB.
    """

    image_id: str
    seed: int
    size_hw: tuple[int, int]
    facts: ImageFacts | None = None
    tagged: TaggedPicture | None = None
    pixels: Callable[[], NDArray[np.uint8]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One text. `provenance` is whatever the writer can say about how it came to be; the runtime adds job and teacher.

    Expected keys: `writer`, `prompt_version`, `instruction`, `seed`, and where a teacher was asked what `Asked.record`
    returns (`tries`, `prompt_tokens`, `completion_tokens`, `latency_s`); CHECKS_FAILED where the text needs a person.
    """

    kind: TextKind
    conversations: tuple[Turn, ...]
    tagged: bool
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterOptions:
    """What an order says to its writer; `extra` are the options that only this writer knows.

    `similarity` is there where the operator has installed one, `ledger` where several workers write.
    """

    kind: TextKind
    mode: str | None = None
    tries: int = 3
    seed: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    similarity: Similarity | None = None
    ledger: Ledger | None = None


class Writer(Protocol):
    """Writes texts of one kind. Built once per job as `Class(options)`, then called from several threads at once."""

    name: str
    prompt_version: str

    def __init__(self, options: WriterOptions) -> None:
        """Raises BadInput for options that this writer does not have."""
        ...

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return the texts about `subject`, in an order that depends on nothing but the seed.

        Raises BackendDown; BadInput where the subject lacks what this writer needs; BadOutput where nothing usable came
        in all tries.
        """
        ...


def dialogue(pairs: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    """Return (question, answer) pairs as turns in LLaVA's form, the picture's placeholder before the first question."""
    turns: list[Turn] = []
    for number, (question, answer) in enumerate(pairs):
        asked = question.replace(IMAGE, "").strip()
        turns.append({"from": "human", "value": f"{IMAGE}\n{asked}" if number == 0 else asked})
        turns.append({"from": "gpt", "value": answer.replace(IMAGE, "").strip()})
    return tuple(turns)
