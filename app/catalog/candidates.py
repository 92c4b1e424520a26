"""Candidates: the images that a finder has looked at, by how surely marks are painted on them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import CandidateRow, ImageRow
from app.errors import BadRequest

# Both downwards, so that the index is read backwards as it is.
_SUREST = (CandidateRow.score.desc(), CandidateRow.image_id.desc())


class CandidateRepository:
    """All SQL about candidates; a ranking is known by the job that made it."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def put(self, job_id: UUID, image_id: UUID, *, score: float, bbox_xyxy_px: Sequence[float]) -> None:
        """Write what a run saw of an image, in place of what an earlier try of it wrote."""
        seen = {"score": score, "bbox_xyxy_px": list(bbox_xyxy_px)}
        row = insert(CandidateRow).values(job_id=job_id, image_id=image_id, **seen)
        self.session.execute(row.on_conflict_do_update(index_elements=["job_id", "image_id"], set_=seen))

    def ranked(self, job_id: UUID, *, limit: int, after: str | None = None) -> list[CandidateRow]:
        """Return up to `limit` candidates behind the image `after`, the surest first; raises BadRequest for another cursor."""
        query = select(CandidateRow).where(CandidateRow.job_id == job_id)
        if after is not None:
            anchor = self._anchor(job_id, after)
            place = tuple_(CandidateRow.score, CandidateRow.image_id)
            query = query.where(place < tuple_(anchor.score, anchor.image_id))
        return list(self.session.scalars(query.order_by(*_SUREST).limit(limit)))

    def images(self, job_id: UUID) -> list[UUID]:
        """Return all images of a ranking, the surest first."""
        query = select(CandidateRow.image_id).where(CandidateRow.job_id == job_id)
        return list(self.session.scalars(query.order_by(*_SUREST)))

    def labelled(self, job_id: UUID, label: str) -> frozenset[UUID]:
        """Return those images of a ranking that carry a label."""
        query = select(CandidateRow.image_id).join(ImageRow, ImageRow.id == CandidateRow.image_id)
        carries = func.array_position(ImageRow.labels, label).is_not(None)
        return frozenset(self.session.scalars(query.where(CandidateRow.job_id == job_id, carries)))

    def _anchor(self, job_id: UUID, after: str) -> CandidateRow:
        try:
            found = self.session.get(CandidateRow, (job_id, UUID(after)))
        except ValueError:
            found = None
        if found is None:
            raise BadRequest("The cursor in `after` names nothing in this list.")
        return found
