"""The one exception to "models run in workers": a question about an existing mark set, to a remote model, from the API.

A worker would only wait for the same server; from here an answer costs one hop less, and many wait at once. How many is
bounded by the caller. What came out is stored before it is shown; when the server is down nothing is left behind.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.catalog.mark_sets import marking_of, regions_of
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.session import transaction
from app.errors import ModelUnavailable, Unavailable, Unprocessable
from app.imaging.encode import read_canonical
from app.services import answers, grounding, marking
from app.services.remote import RemoteModel
from app.storage.blobs import BlobStore
from models.errors import BackendDown, BadInput, BadOutput
from models.grounding import GroundRequest, GroundResult, ground
from models.marks import style_of


class BadAnswer(Unavailable):
    """The model's answer was not in the agreed form"""

    status = 502
    code = "model.bad_output"


def applies(session: Session, question: dict[str, Any], remote_model: str | None) -> bool:
    """Whether the remote model answers this question: it is named, or nothing is named and nothing is deployed."""
    name = question["model"]
    return name == remote_model if name is not None else ModelVersionRepository(session).deployed() is None


def answer(
    engine: Engine, blobs: BlobStore, remote: RemoteModel, tenant_id: UUID, mark_set_id: UUID, question: dict[str, Any]
) -> list[dict[str, Any]]:
    """Ask and store; returns the bodies. Raises NotFound, StaleImage, Unprocessable, ModelUnavailable, BadAnswer."""
    with transaction(engine, tenant_id) as session:
        row, marks, image = marking.whole(session, mark_set_id)
        grounding.check_question(image, question)
    regions = regions_of((image.height, image.width), marks)
    placed = marking_of(row, marks, style_of(row.settings["style"]))
    pixels, overlay = (read_canonical(blobs.get(key)) for key in (image.blob_key, row.overlay_blob_key))
    deadline_ms = question["deadline_ms"]
    results: list[tuple[str, GroundResult]] = []
    for query in grounding.queries_of(question):
        request = GroundRequest(
            image=pixels,
            overlay=overlay,
            regions=regions,
            marking=placed,
            query=query,
            task=question["task"],
            tags=question["tags"],
            constrain=None if question["constrain"] else False,
            deadline_s=None if deadline_ms is None else deadline_ms / 1000,
        )
        try:
            results.append((query, ground(remote.backend(), request)))
        except BackendDown as exc:
            raise ModelUnavailable(str(exc)) from None
        except BadInput as exc:
            raise Unprocessable(str(exc)) from None
        except BadOutput as exc:
            raise BadAnswer(str(exc)) from None
    with transaction(engine, tenant_id) as session:
        stored = [
            answers.store(
                session,
                image_id=image.id,
                mark_set_id=mark_set_id,
                model_version_id=None,
                query=query,
                result=result,
                marking=placed,
                regions=regions,
            )
            for query, result in results
        ]
        return [kept.body for kept in stored]
