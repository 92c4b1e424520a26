"""An answer's body is built once, stored with its row, and shown exactly so ever after.

Called by the worker that answered, which stores it beside its job, and by the direct path of the API.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog.answers import AnswerRepository
from app.catalog.tables import AnswerRow
from app.formats.answers import answer_body
from models.grounding import GroundResult
from models.marks import Marking
from models.regions import Regions


def columns(
    *,
    answer_id: UUID,
    created_at: datetime,
    image_id: UUID,
    mark_set_id: UUID | None,
    model_version_id: UUID | None,
    query: str,
    result: GroundResult,
    marking: Marking,
    regions: Regions,
    before_ms: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Return the columns of an answer, its body among them.

    `before_ms` are the stages before the question was asked, part of its total. Of several answers to one request only the first has
    them.
    """
    body = answer_body(
        answer_id=answer_id,
        created_at=created_at,
        query=query,
        result=result,
        marking=marking,
        regions=regions,
        mark_set_id=mark_set_id,
    )
    before = {name: round(ms, 3) for name, ms in (before_ms or {}).items()}
    total = sum(before.values()) + result.timing_ms.get("total", 0.0)
    body["timing_ms"] = before | body["timing_ms"] | {"total": round(total, 3)}
    return {
        "id": answer_id,
        "created_at": created_at,
        "image_id": image_id,
        "mark_set_id": mark_set_id,
        "model_version_id": model_version_id,
        "task": result.task,
        "query": query,
        "model_name": result.model_name,
        "body": body,
    }


def store(session: Session, **answered: Any) -> AnswerRow:
    """Store one answer in the caller's transaction; takes what `columns` takes, but its id and time."""
    answer_id, created_at = session.execute(select(func.uuidv7(), func.clock_timestamp())).one()
    return AnswerRepository(session).add(AnswerRow(**columns(answer_id=answer_id, created_at=created_at, **answered)))
