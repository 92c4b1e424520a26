"""A person's verdict on a text: who says what, to which revision, in words that can be trained on."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.keys import KeyRepository
from app.catalog.tables import TextRow
from app.catalog.texts import TextRepository, Verdict
from app.errors import Conflict, Unprocessable
from models.mixtures.samples import fault
from models.writers.types import IMAGE


def review(session: Session, text_id: UUID, body: dict[str, Any], *, key_id: UUID | None) -> TextRow:
    """Record a verdict; raises NotFound, Conflict for another revision, Unprocessable for words no trainer could read.

    The reviewer is who the request names, else the key's own name.
    """
    texts = TextRepository(session)
    row = texts.get(text_id)
    if body["conversations"] is not None:
        pictured = any(IMAGE in str(turn["value"]) for turn in row.conversations)
        reason = fault(body["conversations"], "picture.png" if pictured else None)
        if reason is not None:
            raise Unprocessable(f"No trainer could read this text: {reason}.")
    name = body["reviewer"]
    if name is None and key_id is not None:
        name = KeyRepository(session).get(key_id).name
    verdict = Verdict(
        review=body["review"],
        conversations=body["conversations"],
        reason=body["reason"],
        reviewer=name,
        key_id=key_id,
    )
    reviewed = texts.review(text_id, verdict)
    if body["revision"] is not None and reviewed.revision != body["revision"] + 1:
        raise Conflict("Somebody has reviewed this text since you read it; read it again.")
    return reviewed
