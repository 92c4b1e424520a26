"""The one exception to "models run in workers": a question about an existing mark set, to a remote model, from the API.

A worker would only wait for the same server; from here an answer costs one hop less, and many wait at once. How many is
bounded by the caller. What came out is stored before it is shown; when the server is down, the deadline is over or the caller
has gone, nothing is left behind.
"""

import logging
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Flag
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.catalog import asked
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.session import transaction
from app.catalog.tables import ModelVersionRow
from app.errors import AppError, DeadlineExceeded, ModelUnavailable, Unavailable, Unprocessable
from app.services import adapters, answers, grounding, marking
from app.services.pictures import MarkedPictures
from app.services.questions import Pictures, queries_of, request_of
from app.services.remote import RemoteModel
from app.services.telling import Event, told_events
from app.settings import Settings
from app.storage.blobs import BlobStore
from models.errors import BackendDown, BadInput, BadOutput, ModelError, OutOfTime
from models.grounding import GroundRequest, GroundResult, MarkedPicture, ground, stream
from models.vlm.openai import OpenAiBackend

# Shorter than what a client waits by default (30 s), so that it hears why; who reads along waits longer.
LONGEST_S = 25.0
LONGEST_TOLD_S = 120.0

_log = logging.getLogger(__name__)


class BadAnswer(Unavailable):
    """The model's answer was not in the agreed form"""

    status = 502
    code = "model.bad_output"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectPath:
    """What the API process needs to ask the server itself."""

    settings: Settings
    engine: Engine
    blobs: BlobStore
    remote: RemoteModel
    pictures: MarkedPictures

    def errand(
        self, tenant_id: UUID, mark_set_id: UUID, question: dict[str, Any], unwanted: Flag, posed_at: float
    ) -> "Errand | None":
        """Return the question ready to be put to the server, or None if a worker has to answer; raises NotFound, StaleImage.

        `posed_at` is when it came in, on the monotonic clock; `unwanted` is set when nobody waits for the answer any more.
        """
        target_id = question.get("target_mark_set_id")
        known = asked.read(
            self.engine,
            tenant_id,
            mark_set_id,
            None if target_id is None else UUID(target_id),
            answers=len(queries_of(question)),
        )
        chosen = self._chosen(tenant_id, question["model"], known.deployed_id)
        if chosen is None:
            return None
        grounding.check_fresh(known.image_sha256, question)
        return Errand(
            path=self,
            tenant_id=tenant_id,
            mark_set_id=mark_set_id,
            known=known,
            question=question,
            version=chosen.version,
            posed_at=posed_at,
            unwanted=unwanted,
        )

    def load(self, version: ModelVersionRow) -> None:
        """Load a version that is an adapter of what the server serves, and see that it has an effect; raises ModelUnavailable."""
        if not adapters.fits(version, self.remote.name()):
            return
        try:
            self.backend(version)
        except ModelError as error:
            raise _shown(error) from error

    def backend(self, version: ModelVersionRow | None) -> OpenAiBackend:
        """The server's own model, or a version that is an adapter of it; raises BackendDown, BackendUnfit."""
        if version is None:
            return self.remote.backend()
        return adapters.adapted(self.settings, self.blobs, self.remote, version)

    def picture(self, tenant_id: UUID, mark_set_id: UUID) -> MarkedPicture:
        """A mark set that the tenant was seen to have, with its pictures, from memory if it was asked about lately; raises NotFound."""
        kept = self.pictures.find(mark_set_id)
        if kept is not None:
            return kept
        with transaction(self.engine, tenant_id) as session:
            row, marks, image = marking.whole(session, mark_set_id)
        return self.pictures.load(row, marks, image)

    def _chosen(self, tenant_id: UUID, name: str | None, deployed_id: UUID | None) -> "Chosen | None":
        """Say who answers if it is the server: its model is named, or nothing is named and it or an adapter of it is deployed."""
        remote_name = self.remote.name()
        wanted = name or (None if deployed_id is None else str(deployed_id))
        if wanted is None or wanted == remote_name:
            return Chosen(version=None)
        with transaction(self.engine, tenant_id) as session:
            version = ModelVersionRepository(session).find_by_name(wanted)
        return Chosen(version=version) if version is not None and adapters.fits(version, remote_name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One question on its way to the server; `unwanted` is set when nobody waits for its answer any more."""

    path: DirectPath
    tenant_id: UUID
    mark_set_id: UUID
    known: asked.Asked
    question: dict[str, Any]
    version: ModelVersionRow | None
    posed_at: float
    unwanted: Flag
    read_at: float = field(default_factory=time.monotonic)

    def answers(self) -> list[dict[str, Any]]:
        """Ask and store; returns the bodies. Raises Unprocessable, DeadlineExceeded, ModelUnavailable, BadAnswer."""
        before_ms = {"queue": self._elapsed_ms()}
        pictures = self._pictures(before_ms)
        results = []
        for query in queries_of(self.question):
            request = request_of(self.question, query, pictures, left_s=self._left_s(LONGEST_S))
            try:
                results.append((query, ground(self.path.backend(self.version), request)))
            except ModelError as error:
                raise self._shown(error) from error
        return self._stored(pictures, results, before_ms)

    def events(self) -> Iterator[Event]:
        """Like `answers`, but yields the pieces of the text and the mentions as they come, and then the stored answers."""
        before_ms = {"queue": self._elapsed_ms()}
        pictures = self._pictures(before_ms)
        queries = queries_of(self.question)
        results = []
        for index, query in enumerate(queries):
            request = request_of(self.question, query, pictures, left_s=self._left_s(LONGEST_TOLD_S))
            result = yield from self._told(request, index, many=len(queries) > 1)
            results.append((query, result))
        for body in self._stored(pictures, results, before_ms):
            yield Event(name="answer", data=body)

    def _told(self, request: GroundRequest, index: int, *, many: bool) -> Generator[Event, None, GroundResult]:
        try:
            return (yield from told_events(stream(self.path.backend(self.version), request), request, index, many=many))
        except ModelError as error:
            raise self._shown(error) from error

    def _pictures(self, before_ms: dict[str, float]) -> Pictures:
        started = time.monotonic()
        target_id = self.question.get("target_mark_set_id")
        picture = self.path.picture(self.tenant_id, self.mark_set_id)
        target = None if target_id is None else self.path.picture(self.tenant_id, UUID(target_id))
        before_ms["load"] = 1000 * (time.monotonic() - started)
        return Pictures(picture=picture, target=target)

    def _elapsed_ms(self) -> float:
        return 1000 * (time.monotonic() - self.posed_at)

    def _left_s(self, longest_s: float) -> float:
        """Return the seconds for the next answer; raises DeadlineExceeded."""
        deadline_ms = self.question["deadline_ms"]
        left_s: float = longest_s if deadline_ms is None else min(longest_s, (deadline_ms - self._elapsed_ms()) / 1000)
        if left_s <= 0:
            raise DeadlineExceeded
        return left_s

    def _stored(
        self, pictures: Pictures, results: list[tuple[str, GroundResult]], before_ms: dict[str, float]
    ) -> list[dict[str, Any]]:
        if self.unwanted.is_set():
            raise DeadlineExceeded
        now = self.known.at + timedelta(seconds=time.monotonic() - self.read_at)
        rows = [
            answers.columns(
                answer_id=answer_id,
                created_at=now,
                image_id=self.known.image_id,
                mark_set_id=self.mark_set_id,
                model_version_id=None if self.version is None else self.version.id,
                query=query,
                result=result,
                marking=pictures.picture.marking,
                regions=pictures.picture.regions,
                before_ms=None if number else before_ms,
            )
            for number, (answer_id, (query, result)) in enumerate(zip(self.known.answer_ids, results, strict=True))
        ]
        asked.keep(self.path.engine, self.tenant_id, rows)
        return [row["body"] for row in rows]

    def _shown(self, error: ModelError) -> AppError:
        # Our own limit may be the shorter one: then the server is to blame, and not the caller's hurry.
        deadline_ms = self.question["deadline_ms"]
        hurried = deadline_ms is not None and self._elapsed_ms() >= deadline_ms
        return DeadlineExceeded() if hurried and isinstance(error, OutOfTime) else _shown(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The server answers: as its own model, or as a version that is an adapter of it."""

    version: ModelVersionRow | None


def _shown(error: ModelError) -> AppError:
    """Return what the caller is told; the cause goes to the log."""
    match error:
        case BackendDown():
            _log.warning("the model server failed: %s", error, exc_info=error)
            return ModelUnavailable(str(error), retry_after_s=error.retry_after_s)
        case BadOutput():
            _log.warning("the model server's answer was unusable: %s", error, exc_info=error)
            return BadAnswer(str(error))
        case BadInput():
            return Unprocessable(str(error))
        case _:
            return Unavailable(str(error))
