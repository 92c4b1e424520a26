"""What annotation jobs wrote: texts added in batches, looked at per job. Reviewing and selecting them is `texts`'."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import TextRow
from models.writers.types import CHECKS_FAILED

_BELIEVED = ("accepted", "edited")


class WritingRepository:
    """SQL about texts as the output of jobs."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add_once(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert texts with the same columns in one round trip; one that its job item wrote before is left as it is."""
        self.session.execute(insert(TextRow).on_conflict_do_nothing(), rows)

    def count(self, job_id: UUID) -> int:
        """Return how many texts a job wrote."""
        return self.session.scalar(select(func.count()).select_from(TextRow).where(TextRow.job_id == job_id)) or 0

    def subjects(self, job_ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
        """Return {image: mark set or None} of the texts of these jobs, in the order in which they were written."""
        query = select(TextRow.image_id, TextRow.mark_set_id).where(TextRow.job_id.in_(job_ids))
        found = self.session.execute(query.order_by(TextRow.created_at, TextRow.id))
        return {row.image_id: row.mark_set_id for row in found}

    def accepted_listings(self, wanted: Sequence[UUID] | None, *, seed: int, limit: int) -> list[UUID]:
        """Return listings of marked images that people accepted or edited: those `wanted`, else `limit` picked by the seed."""
        query = select(TextRow.id).where(
            TextRow.kind == "listing",
            TextRow.tagged,
            TextRow.mark_set_id.is_not(None),
            TextRow.review.in_(_BELIEVED),
        )
        if wanted is not None:
            found = set(self.session.scalars(query.where(TextRow.id.in_(wanted))))
            return [text_id for text_id in wanted if text_id in found]
        shuffled = func.md5(func.concat(str(seed), ":", cast(TextRow.id, String)))
        return list(self.session.scalars(query.order_by(shuffled).limit(limit)))

    def tries(self, job_id: UUID) -> list[dict[str, Any]]:
        """Return per writer, mode and prompt how the texts of a job fared: first-try passes, tries, tokens, checks failed."""
        said = TextRow.provenance
        tries = cast(said["tries"].astext, Integer)
        failed = func.coalesce(func.jsonb_array_length(said[CHECKS_FAILED]), 0)
        names = [said[key].astext.label(key) for key in ("writer", "mode", "prompt_version")]
        model = said["model"]["name"].astext.label("model")
        query = select(
            *names,
            model,
            func.count().label("texts"),
            func.count().filter(tries == 1, failed == 0).label("first_try"),
            func.count().filter(failed > 0).label("checks_failed"),
            func.coalesce(func.sum(tries), 0).label("tries"),
            func.coalesce(func.sum(cast(said["prompt_tokens"].astext, Integer)), 0).label("prompt_tokens"),
            func.coalesce(func.sum(cast(said["completion_tokens"].astext, Integer)), 0).label("completion_tokens"),
        ).where(TextRow.job_id == job_id)
        return [dict(row) for row in self.session.execute(query.group_by(*names, model)).mappings()]
