"""What annotation files say about images: one row per source and the source's own id, never doubled by a second import."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import ImageFactsRow
from models.facts import ImageFacts
from models.sources.merging import filled, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFacts:
    """What the record `external_id` of `source` says about an image of the catalog."""

    image_id: UUID
    source: str
    external_id: str
    facts: ImageFacts


class ImageFactsRepository:
    """All SQL about image facts."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def of_image(self, image_id: UUID, source: str | None = None) -> ImageFacts | None:
        """Return what is known of an image, by one source or by all of them joined; None if nothing is."""
        query = select(ImageFactsRow.facts).where(ImageFactsRow.image_id == image_id)
        if source is not None:
            query = query.where(ImageFactsRow.source == source)
        rows = self.session.scalars(query.order_by(ImageFactsRow.created_at, ImageFactsRow.id)).all()
        return joined([ImageFacts.from_json(row) for row in rows]) if rows else None

    def add_or_fill(self, stated: StatedFacts) -> bool:
        """Add a record, or fill in what the one with this name lacks; True if anything changed.

        Raises BadRegions when the record is known with another frame. The image of a known record stays.
        """
        values = {
            "image_id": stated.image_id,
            "source": stated.source,
            "external_id": stated.external_id,
            "facts": stated.facts.to_json(),
        }
        added = insert(ImageFactsRow).values(values).on_conflict_do_nothing().returning(ImageFactsRow.id)
        return self.session.scalar(added) is not None or self._fill(stated)

    def _fill(self, stated: StatedFacts) -> bool:
        same = (ImageFactsRow.source == stated.source, ImageFactsRow.external_id == stated.external_id)
        known = ImageFacts.from_json(self.session.scalars(select(ImageFactsRow.facts).where(*same)).one())
        whole = filled(known, stated.facts)
        if whole == known:
            return False
        self.session.execute(update(ImageFactsRow).where(*same).values(facts=whole.to_json()))
        return True

    def known(self, source: str, external_ids: Sequence[str]) -> set[str]:
        """Return those of `external_ids` that the catalog has of this source."""
        query = select(ImageFactsRow.external_id).where(
            ImageFactsRow.source == source, ImageFactsRow.external_id.in_(external_ids)
        )
        return set(self.session.scalars(query))
