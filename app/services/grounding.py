"""Order answers about a marked image, and check what can be checked before any work is done."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import ImageRow, JobRow
from app.errors import NotFound, StaleImage, UnknownModel
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import marking
from app.services.models import BUILT_IN


def order(
    session: Session,
    *,
    image_id: UUID | None,
    mark_set_id: UUID | None,
    settings: dict[str, Any],
    question: dict[str, Any],
    synchronous: bool,
    streamed: bool,
    remote_model: str | None,
    idempotency_key: str | None,
    timing_ms: dict[str, float] | None = None,
) -> JobRow:
    """Queue the answering of one or several queries; raises NotFound or StaleImage.

    `question` is the body of the request without the image and the settings of its marks. A synchronous order gives
    up at once when the model is down; an asynchronous one waits for it. With `streamed` somebody listens to the pieces.
    `timing_ms` are the stages that are over already.
    """
    if mark_set_id is not None:
        image_id = MarkSetRepository(session).get(mark_set_id).image_id
    if image_id is None:
        raise NotFound("There is no image to ask about.")
    check_question(session, ImageRepository(session).get(image_id), question)
    check_model(session, question.get("model"), remote_model)
    payload: dict[str, Any] = {
        "image_id": str(image_id),
        "mark_set_id": None if mark_set_id is None else str(mark_set_id),
        "question": question,
        "synchronous": synchronous,
        "streamed": streamed,
        "timing_ms": timing_ms or {},
    }
    if mark_set_id is None:
        marking.find(session, image_id, settings)
        payload["settings"] = settings
        payload["settings_sha256"] = marking.settings_sha256(settings)
    return enqueue(
        session, kind="answer.create", queue=Queue.INTERACTIVE, payload=payload, idempotency_key=idempotency_key
    )


def check_question(session: Session, image: ImageRow, question: dict[str, Any]) -> None:
    """Raise NotFound (the target mark set) or StaleImage before any work is done."""
    target = question.get("target_mark_set_id")
    if target is not None:
        MarkSetRepository(session).get(UUID(target))
    check_fresh(image.sha256, question)


def check_fresh(image_sha256: str, question: dict[str, Any]) -> None:
    """Raise StaleImage when the caller expects another picture than the one that was marked."""
    expected = question.get("expect_image_sha256")
    if expected is not None and expected != image_sha256:
        raise StaleImage(
            f"The marks are of an image with the sha256 {image_sha256}, and you are about to act on {expected}: nothing was "
            "decided. Post the new picture (`image` or `file`) with the same query, and the old mark set's id as "
            "`marks.previous_mark_set_id`, so that what is still there keeps its id."
        )


def check_model(session: Session, name: str | None, remote_model: str | None) -> None:
    """Raise UnknownModel when a request names a model that nobody serves."""
    if name is None or name in {BUILT_IN, remote_model}:
        return
    if ModelVersionRepository(session).find_by_name(name) is None:
        raise UnknownModel("`GET /v1/models` lists those that can be asked.")
