"""The one exception to "models run in workers": a question about an existing mark set, to a remote model, from the API.

A worker would only wait for the same server; from here an answer costs one hop less, and many wait at once. How many is
bounded by the caller. What came out is stored before it is shown; when the server is down, the deadline is over or the caller
has gone, nothing is left behind.
"""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.session import transaction
from app.catalog.tables import ModelVersionRow
from app.errors import AppError, ModelUnavailable, Unavailable, Unprocessable
from app.services import adapters, answers, grounding
from app.services.pictures import MarkedPictures
from app.services.remote import RemoteModel
from app.settings import Settings
from app.storage.blobs import BlobStore
from models.errors import BackendDown, BadInput, BadOutput, ModelError
from models.grounding import GroundRequest, GroundResult, MarkedPicture, ground
from models.vlm.openai import OpenAiBackend

# Shorter than what a client waits by default (30 s), so that it hears why.
LONGEST_S = 25.0

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

    def answer(self, tenant_id: UUID, mark_set_id: UUID, question: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Ask and store; returns the bodies, or None if a worker has to answer.

        Raises NotFound, StaleImage, Unprocessable, ModelUnavailable, BadAnswer.
        """
        remote_name = self.remote.name()
        with transaction(self.engine, tenant_id) as session:
            chosen = choose(session, question, remote_name)
            if chosen is None:
                return None
            row = MarkSetRepository(session).get(mark_set_id)
            image = ImageRepository(session).get(row.image_id)
            grounding.check_question(image, question)
            picture = self.pictures.find(mark_set_id)
            marks = [] if picture is not None else MarkSetRepository(session).marks(mark_set_id)
        if picture is None:
            picture = self.pictures.load(row, marks, image)
        version = chosen.version
        results = [(query, self._ask(picture, query, question, version)) for query in grounding.queries_of(question)]
        with transaction(self.engine, tenant_id) as session:
            stored = [
                answers.store(
                    session,
                    image_id=image.id,
                    mark_set_id=mark_set_id,
                    model_version_id=None if version is None else version.id,
                    query=query,
                    result=result,
                    marking=picture.marking,
                    regions=picture.regions,
                )
                for query, result in results
            ]
            return [kept.body for kept in stored]

    def load(self, version: ModelVersionRow) -> None:
        """Load a version that is an adapter of what the server serves, and see that it has an effect; raises ModelUnavailable."""
        if not adapters.fits(version, self.remote.name()):
            return
        try:
            self._backend(version)
        except ModelError as error:
            raise _shown(error) from error

    def _ask(
        self, picture: MarkedPicture, query: str, question: dict[str, Any], version: ModelVersionRow | None
    ) -> GroundResult:
        deadline_ms = question["deadline_ms"]
        request = GroundRequest(
            image=picture.image,
            overlay=picture.overlay,
            regions=picture.regions,
            marking=picture.marking,
            query=query,
            task=question["task"],
            tags=question["tags"],
            constrain=None if question["constrain"] else False,
            deadline_s=LONGEST_S if deadline_ms is None else min(LONGEST_S, deadline_ms / 1000),
        )
        try:
            return ground(self._backend(version), request)
        except ModelError as error:
            raise _shown(error) from error

    def _backend(self, version: ModelVersionRow | None) -> OpenAiBackend:
        if version is None:
            return self.remote.backend()
        return adapters.adapted(self.settings, self.blobs, self.remote, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The server answers: as its own model, or as a version that is an adapter of it."""

    version: ModelVersionRow | None


def choose(session: Session, question: dict[str, Any], remote_name: str | None) -> Chosen | None:
    """Say who answers if it is the server: its model is named, or nothing is named and it or an adapter of it is deployed."""
    name, versions = question["model"], ModelVersionRepository(session)
    if name is not None and name == remote_name:
        return Chosen(version=None)
    version = versions.deployed() if name is None else versions.find_by_name(name)
    if version is None:
        return Chosen(version=None) if name is None else None
    return Chosen(version=version) if adapters.fits(version, remote_name) else None


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
