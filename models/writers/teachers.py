"""A vision-language backend as a teacher: conversations where the backend can hold one, single questions where it cannot.

Called by workers. Which model stands behind a name is `workers.shelf`'s business.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol, cast, runtime_checkable

from models.errors import BadInput, BadOutput
from models.vlm.types import Dialect, EncodedPicture, Message, VlmBackend, VlmReply, VlmRequest
from models.writers.types import Reply

LIVELY = 0.7
"""Temperature of a teacher unless the order says otherwise: texts about like pictures must not all be worded alike."""


@runtime_checkable
class Chats(Protocol):
    """A backend that holds conversations."""

    def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int | None,
        deadline_s: float | None,
    ) -> VlmReply:
        """Answer the last message."""
        ...


class BackendTeacher:
    """Implements `Teacher` on one backend; safe to share between threads if the backend is."""

    def __init__(
        self, backend: VlmBackend, *, temperature: float | None = None, timeout_s: float | None = None
    ) -> None:
        """`temperature` and `timeout_s` hold for every question that does not say otherwise."""
        self.name, self.version = backend.name, backend.version
        self.dialect: Dialect = backend.dialect
        self.input_px = backend.input_px
        self.backend: VlmBackend | None = backend
        self._temperature, self._timeout_s = temperature, timeout_s

    def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 1_024,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> Reply:
        """See `Teacher.ask`."""
        began = time.monotonic()
        backend: Any = self.backend
        if isinstance(backend, Chats) and self.dialect == "general":
            chosen = temperature if temperature is not None else self._temperature
            reply = backend.chat(
                messages,
                max_tokens=max_tokens,
                temperature=LIVELY if chosen is None else chosen,
                seed=seed,
                deadline_s=self._timeout_s,
            )
        else:
            request = _single(messages, max_tokens, self._timeout_s)
            reply = cast("VlmBackend", backend).generate(request)
        return reply_of(reply, time.monotonic() - began)


def reply_of(reply: VlmReply, latency_s: float) -> Reply:
    """A backend's reply as a teacher's. Raises BadOutput for a text that cannot be stored."""
    text = reply.text.replace("\x00", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadOutput("the teacher's answer is not text") from None
    return Reply(
        text=text,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        finish_reason=reply.finish_reason,
        latency_s=latency_s,
    )


def _single(messages: Sequence[Message], max_tokens: int, deadline_s: float | None) -> VlmRequest:
    """The one question of a conversation of one turn; raises BadInput for a longer one."""
    if len(messages) != 1 or any(isinstance(image, EncodedPicture) for image in messages[0].images):
        raise BadInput("this model was taught single questions: it cannot follow instructions or a conversation")
    images = cast("tuple[Any, ...]", messages[0].images)
    return VlmRequest(images=images, prompt=messages[0].text, max_tokens=max_tokens, deadline_s=deadline_s)
