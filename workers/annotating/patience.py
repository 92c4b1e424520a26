"""A teacher that is asked again when it is away, and whose tokens are counted: what a writer gets for one item.

A question waits and is repeated with jitter until it is answered. When nobody here was answered for PATIENCE_S the teacher
counts as away, and the job goes back to the queue; when only this question is never answered, its item fails.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from app.queue.spending import Spent
from models.errors import BackendDown, BackendUnfit, BadInput, BadOutput
from models.vlm.types import Message, VlmBackend, VlmReply, VlmRequest
from models.writers.types import Reply, Teacher
from workers.annotating.pace import Pace

PATIENCE_S = 30.0
MOST_TRIES = 8
_LONGEST_S = 180.0
_T = TypeVar("_T", Reply, VlmReply)


class NoAnswer(Exception):
    """One question is never answered, though others are."""


class PatientTeacher:
    """Implements `Teacher` for one item; not shared between threads."""

    def __init__(self, teacher: Teacher, pace: Pace) -> None:
        self.name, self.version = teacher.name, teacher.version
        self.dialect, self.input_px = teacher.dialect, teacher.input_px
        self.backend: VlmBackend | None = (
            None if teacher.backend is None else cast("VlmBackend", _Counted(teacher.backend, self))
        )
        self.spent = Spent()
        self._teacher, self._pace = teacher, pace

    def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 1_024,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> Reply:
        """See `Teacher.ask`; raises BackendDown only when the teacher is away for everybody, Stopped, NoAnswer."""
        return self.patiently(
            lambda: self._teacher.ask(messages, max_tokens=max_tokens, temperature=temperature, seed=seed)
        )

    def patiently(self, ask: Callable[[], _T]) -> _T:
        """Ask until there is an answer, and count it."""
        began = time.monotonic()
        for tries in range(1, 10_000):
            self._pace.enter()
            try:
                reply = ask()
            except BackendUnfit:
                self._pace.left()
                raise
            except BackendDown as error:
                self._pace.failed(error.retry_after_s)
                if self._pace.silent_s() > PATIENCE_S:
                    raise
                if tries >= MOST_TRIES and time.monotonic() - began > _LONGEST_S:
                    raise NoAnswer from error
                continue
            except (BadInput, BadOutput):
                self._pace.answered()
                self.spent += Spent(calls=1)
                raise
            except BaseException:
                self._pace.left()
                raise
            self._pace.answered()
            self.spent += Spent(calls=1, prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens)
            return reply
        raise NoAnswer


class _Counted:
    """A backend whose free answers are counted and waited for; anything else passes through."""

    def __init__(self, backend: VlmBackend, patient: PatientTeacher) -> None:
        self._backend, self._patient = backend, patient

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def generate(self, request: VlmRequest) -> VlmReply:
        """See `VlmBackend.generate`."""
        return self._patient.patiently(lambda: self._backend.generate(request))
