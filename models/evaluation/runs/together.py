"""Puts the questions of a run to a local model in batches: threads ask one each, and one of them asks for all.

A batch goes off when every question under way waits for the model, so that it is as full as the run allows whatever a
question is about. An answer is that of the question alone. Knows no benchmark.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from models.errors import ModelError
from models.vlm.types import BatchedBackend, ChoiceReply, Dialect, VlmBackend, VlmReply, VlmRequest

AT_ONCE: Final = 8
"""How many questions of a run a local model is asked at once."""


def together(backend: VlmBackend, *, remote: int) -> tuple[VlmBackend, int]:
    """Return what a run asks, and how many questions side by side: `remote` of a server, 1 of what cannot take several."""
    if isinstance(backend, BatchedBackend):
        return Together(backend), AT_ONCE
    return backend, 1 if backend.dialect == "tiny" else remote


@contextmanager
def under_way(backend: VlmBackend) -> Iterator[None]:
    """Tell `backend`, if it gathers questions, that one is being prepared or asked inside of the block."""
    if not isinstance(backend, Together):
        yield
        return
    with backend.one_more():
        yield


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A call that waits: what it asks, of which method, and where the answer goes."""

    method: str
    asked: Any
    reply: "Future[Any]" = field(default_factory=Future)


class Together:
    """A backend that gathers the calls of several threads."""

    def __init__(self, backend: BatchedBackend) -> None:
        self._backend = backend
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._under_way = 0
        self.name, self.version = backend.name, backend.version
        self.dialect: Dialect = backend.dialect
        self.input_px = backend.input_px

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a question as under way inside of the block; batches wait for its calls."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def ready(self) -> None:
        """See `VlmBackend`."""
        self._backend.ready()

    def generate(self, request: VlmRequest) -> VlmReply:
        """See `VlmBackend`."""
        reply: VlmReply = self._ask(_Waiting("generate", request))
        return reply

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """See `VlmBackend`."""
        reply: ChoiceReply = self._ask(_Waiting("choose", (request, choices)))
        return reply

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        """See `VlmBackend`."""
        reply: ChoiceReply = self._ask(_Waiting("weigh", (request, answers)))
        return reply

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        """See `VlmBackend`; nobody streams in a run, so it is not gathered."""
        return self._backend.stream(request)

    def _ask(self, mine: _Waiting) -> Any:
        with self._changed:
            self._waiting.append(mine)
            self._changed.notify_all()
            self._changed.wait_for(lambda: mine not in self._waiting or len(self._waiting) >= self._under_way)
            batch = self._waiting if mine in self._waiting else []
            if batch:
                self._waiting = []
                self._changed.notify_all()
        for method in sorted({one.method for one in batch}):
            self._answer(method, [one for one in batch if one.method == method])
        return mine.reply.result()

    def _answer(self, method: str, batch: Sequence[_Waiting]) -> None:
        many: Callable[[Sequence[Any]], list[Any]] = getattr(self._backend, f"{method}_many")
        try:
            replies = many([one.asked for one in batch])
        except ModelError as exc:
            # One bad question must not cost the others their answers: each is asked alone and fails alone.
            if len(batch) > 1:
                for one in batch:
                    self._answer(method, [one])
            else:
                batch[0].reply.set_exception(exc)
        except BaseException as exc:
            for one in batch:
                one.reply.set_exception(exc)
        else:
            for one, reply in zip(batch, replies, strict=True):
                one.reply.set_result(reply)
