"""Order answers about a marked image, and check what can be checked before any work is done."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import ImageRow, JobRow
from app.errors import NotFound, StaleImage, UnsupportedTask
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import marking
from app.services.models import BUILT_IN

SUPPORTED_TASKS = ("ask", "list", "refer", "act")


def order(
    session: Session,
    *,
    image_id: UUID | None,
    mark_set_id: UUID | None,
    settings: dict[str, Any],
    question: dict[str, Any],
    synchronous: bool,
    remote_model: str | None,
    idempotency_key: str | None,
) -> JobRow:
    """Queue the answering of one or several queries; raises NotFound, StaleImage or UnsupportedTask.

    `question` is the body of the request without the image and the settings of its marks. A synchronous order gives
    up at once when the model is down; an asynchronous one waits for it.
    """
    if mark_set_id is not None:
        image_id = MarkSetRepository(session).get(mark_set_id).image_id
    if image_id is None:
        raise NotFound("There is no image to ask about.")
    check_question(ImageRepository(session).get(image_id), question)
    check_model(session, question.get("model"), remote_model)
    payload: dict[str, Any] = {
        "image_id": str(image_id),
        "mark_set_id": None if mark_set_id is None else str(mark_set_id),
        "question": question,
        "synchronous": synchronous,
    }
    if mark_set_id is None:
        marking.find(session, image_id, settings)
        payload["settings"] = settings
        payload["settings_sha256"] = marking.settings_sha256(settings)
    return enqueue(
        session, kind="answer.create", queue=Queue.INTERACTIVE, payload=payload, idempotency_key=idempotency_key
    )


def check_question(image: ImageRow, question: dict[str, Any]) -> None:
    """Raise UnsupportedTask or StaleImage before any work is done."""
    if question["task"] not in SUPPORTED_TASKS:
        raise UnsupportedTask(f"This version answers {', '.join(SUPPORTED_TASKS)}.")
    expected = question.get("expect_image_sha256")
    if expected is not None and expected != image.sha256:
        raise StaleImage("`expect_image_sha256` differs from the image that was marked.")


def queries_of(question: dict[str, Any]) -> list[str]:
    """The queries of a request; a listing needs none."""
    given = question["queries"] if question["queries"] is not None else [question["query"] or ""]
    return [str(query) for query in given]


def check_model(session: Session, name: str | None, remote_model: str | None) -> None:
    """Raise NotFound when a request names a model that nobody serves."""
    if name is None or name in {BUILT_IN, remote_model}:
        return
    if ModelVersionRepository(session).find_by_name(name) is None:
        raise NotFound("There is no model with this name.")
