"""Evaluations, finished or under way, and the answers that they rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import EvaluationItemRow, EvaluationRow
from app.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What is added to an answer once all are there."""

    position: int
    grade: float | None
    picture: bytes | None = None


class EvaluationRepository:
    """All SQL about evaluations."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, evaluation_id: UUID) -> EvaluationRow:
        """Return one finished evaluation; raises NotFound."""
        row = self.session.get(EvaluationRow, evaluation_id)
        if row is None or row.finished_at is None:
            raise NotFound("There is no evaluation with this id.")
        return row

    def list_after(self, *, limit: int, after: str | None) -> Page[EvaluationRow]:
        """Return a page of finished evaluations, newest first."""
        finished = select(EvaluationRow).where(EvaluationRow.finished_at.is_not(None))
        return page_after(self.session, finished, EvaluationRow, limit=limit, after=after)

    def finished(self, benchmark: str, *, model_version_id: UUID | None, model: str) -> list[EvaluationRow]:
        """Return a model's finished evaluations by one benchmark, newest first; one without version goes by its name."""
        query = select(EvaluationRow).where(
            EvaluationRow.benchmark == benchmark, EvaluationRow.finished_at.is_not(None)
        )
        if model_version_id is not None:
            query = query.where(EvaluationRow.model_version_id == model_version_id)
        else:
            named = EvaluationRow.settings["model"].astext == model
            query = query.where(EvaluationRow.model_version_id.is_(None), named)
        return list(self.session.scalars(query.order_by(EvaluationRow.finished_at.desc(), EvaluationRow.id.desc())))

    def begin(self, job_id: UUID, cell: int, **told: Any) -> UUID:
        """Return the evaluation of a job's cell, written down by the first call."""
        values = {"job_id": job_id, "cell": cell, "metrics": {}, "report": {}, "finished_at": None} | told
        written = (
            insert(EvaluationRow).values(values).on_conflict_do_nothing(index_elements=["tenant_id", "job_id", "cell"])
        )
        self.session.execute(written)
        known = select(EvaluationRow.id).where(EvaluationRow.job_id == job_id, EvaluationRow.cell == cell)
        return self.session.scalars(known).one()

    def settings(self, evaluation_id: UUID) -> dict[str, Any]:
        """Return what an evaluation, finished or not, is made with."""
        return self.session.get_one(EvaluationRow, evaluation_id).settings

    def finish(self, evaluation_id: UUID, *, metrics: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        """Write what came out; from then on the evaluation can be seen."""
        self.session.execute(
            update(EvaluationRow)
            .where(EvaluationRow.id == evaluation_id)
            .values(metrics=dict(metrics), report=dict(report), finished_at=func.clock_timestamp())
        )

    def keep(self, evaluation_id: UUID, position: int, *, question_id: str, **answered: Any) -> None:
        """Write an answer, or why there is none, in place of one of an earlier try."""
        row = {"answer": null(), "error": None, "grade": None, "picture": None} | answered
        item = insert(EvaluationItemRow).values(
            evaluation_id=evaluation_id, position=position, question_id=question_id, **row
        )
        self.session.execute(
            item.on_conflict_do_update(
                index_elements=["evaluation_id", "position"], set_={"question_id": question_id, **row}
            )
        )

    def grade(self, evaluation_id: UUID, grades: Sequence[Grade]) -> None:
        """Add grades and pictures to answers."""
        rows = [
            {"evaluation_id": evaluation_id, "position": one.position, "grade": one.grade, "picture": one.picture}
            for one in grades
        ]
        if rows:
            self.session.execute(update(EvaluationItemRow), rows)

    def items(self, evaluation_id: UUID, *, after: int = -1, limit: int | None = None) -> list[EvaluationItemRow]:
        """Return answers in the order of the questions, those behind position `after`."""
        query = select(EvaluationItemRow).where(
            EvaluationItemRow.evaluation_id == evaluation_id, EvaluationItemRow.position > after
        )
        return list(self.session.scalars(query.order_by(EvaluationItemRow.position).limit(limit)))

    def picture(self, evaluation_id: UUID, position: int) -> bytes:
        """Return the picture that is kept of an answer of a finished evaluation; raises NotFound."""
        self.get(evaluation_id)
        row = self.session.get(EvaluationItemRow, (evaluation_id, position))
        if row is None or row.picture is None:
            raise NotFound("No picture is kept of this answer; the worst have one.")
        return row.picture

    def pictures(self, evaluation_ids: Sequence[UUID]) -> dict[tuple[str, int], bytes]:
        """Return the pictures that are kept, by evaluation and position."""
        query = select(EvaluationItemRow).where(
            EvaluationItemRow.evaluation_id.in_(evaluation_ids), EvaluationItemRow.picture.is_not(None)
        )
        return {
            (str(row.evaluation_id), row.position): row.picture
            for row in self.session.scalars(query)
            if row.picture is not None
        }
