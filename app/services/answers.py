"""Keep an answer: its body is built once, stored with its row, and shown exactly so ever after.

Called by the worker that answered, and by the direct path of the API.
"""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog.answers import AnswerRepository
from app.catalog.tables import AnswerRow
from app.formats.answers import answer_body
from models.grounding import GroundResult
from models.marks import Marking
from models.regions import Regions


def store(
    session: Session,
    *,
    image_id: UUID,
    mark_set_id: UUID | None,
    model_version_id: UUID | None,
    query: str,
    result: GroundResult,
    marking: Marking,
    regions: Regions,
    before_ms: dict[str, float] | None = None,
) -> AnswerRow:
    """Store one answer in the caller's transaction; `before_ms` are the stages before the question was asked, part of its total.

    Of several answers to one request only the first has them.
    """
    answer_id, created_at = session.execute(select(func.uuidv7(), func.clock_timestamp())).one()
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
    row = AnswerRow(
        id=answer_id,
        created_at=created_at,
        image_id=image_id,
        mark_set_id=mark_set_id,
        model_version_id=model_version_id,
        task=result.task,
        query=query,
        model_name=result.model_name,
        body=body,
    )
    return AnswerRepository(session).add(row)
