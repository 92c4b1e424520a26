"""What a vision-language backend is asked and what it answers.

`models.grounding` speaks only to `VlmBackend`; `local`, `openai` and `fake` implement it and pass one contract test.
Nothing here knows HTTP, torch, or how a prompt is worded.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Dialect = Literal["tiny", "general"]
FinishReason = Literal["stop", "length"]
Role = Literal["system", "user", "assistant"]

NONE = "none"
"""The choice that means "no mark fits"; never a mark id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmRequest:
    """One user turn: pictures, then `prompt` (without role words and without image placeholders).

    `images` are (H, W, 3) uint8 RGB. `deadline_s` is the time left for the whole call, in seconds from now.
    `lines` are the marks of a listing in their order: a backend that can hold its model to one line for each does so.
    """

    images: tuple[NDArray[np.uint8], ...]
    prompt: str
    max_tokens: int = 256
    temperature: float = 0.0
    deadline_s: float | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmReply:
    """The model's own words. `finish_reason` is "length" when `max_tokens` cut them."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceReply:
    """A probability for every choice and for `NONE` (of `choose`), or for every answer (of `weigh`); they sum to 1.

    `estimated` names the choices whose value is a share of a group's mass, because the server showed only the group.
    """

    probabilities: Mapping[str, float]
    prompt_tokens: int
    completion_tokens: int
    estimated: frozenset[str] = frozenset()

    @property
    def best(self) -> str:
        """The most probable choice; the first one given among equals."""
        return max(self.probabilities, key=lambda choice: self.probabilities[choice])


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPicture:
    """A picture that is a file already: it travels as it is, without being decoded and encoded again."""

    media_type: str
    data: bytes


Picture = NDArray[np.uint8] | EncodedPicture
"""Pixels, (H, W, 3) uint8 RGB, or a file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """One turn of a conversation; pictures belong to turns of the user and stand before the text."""

    role: Role
    text: str
    images: tuple[Picture, ...] = ()


@runtime_checkable
class VlmBackend(Protocol):
    """A model that looks at pictures and answers in words.

    `dialect` says which prompts it was made for (see `models.vlm.prompts`). With `input_px` set, pictures are painted at
    that square size by the caller, so that labels stay legible; None means any size.
    """

    name: str
    version: str
    dialect: Dialect
    input_px: int | None

    def generate(self, request: VlmRequest) -> VlmReply:
        """Answer freely. Raises BadInput (too long), BackendDown, BadOutput."""
        ...

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """Weigh every choice and NONE as the answer; nothing outside of them can come back.

        `choices` are distinct mark ids without NONE. Raises BadInput, BackendDown, BadOutput.
        """
        ...

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        """Weigh every text of `answers` as the whole answer; nothing outside of them can come back.

        `answers` are distinct lines of text, at least one; none is added. Raises like `choose`.
        """
        ...

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        """Yield the pieces of `generate`'s text as they come, and return the reply; joined and stripped, they are its text.

        Whoever wants no more closes the generator; the model then stops at its next piece.
        """
        ...

    def ready(self) -> None:
        """Return if a call can succeed now; raises BackendDown or WeightsMissing."""
        ...


@runtime_checkable
class BatchedBackend(VlmBackend, Protocol):
    """A model in this process, which answers several questions in less time than one after the other.

    Each call returns what the single call would for each, in order, and raises what any of them would raise.
    """

    def generate_many(self, requests: Sequence[VlmRequest]) -> list[VlmReply]:
        """Answer freely."""
        ...

    def choose_many(self, asked: Sequence[tuple[VlmRequest, Sequence[str]]]) -> list[ChoiceReply]:
        """Weigh choices of marks."""
        ...

    def weigh_many(self, asked: Sequence[tuple[VlmRequest, Sequence[str]]]) -> list[ChoiceReply]:
        """Weigh whole answers."""
        ...
