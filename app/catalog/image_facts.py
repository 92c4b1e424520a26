"""What annotation files say about images: one row per source and the source's own id, never doubled by a second import."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, cast, func, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONPATH, insert
from sqlalchemy.orm import Session

from app.catalog.tables import ImageFactsRow
from app.errors import Conflict
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

    def of_images(self, image_ids: Sequence[UUID], sources: Sequence[str] | None = None) -> dict[UUID, ImageFacts]:
        """Return what is known of many images, by these sources or by all of them, joined per image."""
        query = select(ImageFactsRow.image_id, ImageFactsRow.facts).where(ImageFactsRow.image_id.in_(image_ids))
        if sources is not None:
            query = query.where(ImageFactsRow.source.in_(sources))
        stated: dict[UUID, list[ImageFacts]] = {}
        for row in self.session.execute(query.order_by(ImageFactsRow.created_at, ImageFactsRow.id)):
            stated.setdefault(row.image_id, []).append(ImageFacts.from_json(row.facts))
        return {image_id: joined(facts) for image_id, facts in stated.items()}

    def labels_of(self, image_ids: Sequence[UUID], sources: Sequence[str] | None = None) -> dict[UUID, list[str]]:
        """Return what objects images show, crowds too, in the order of `image_ids`; images of which nothing is known are absent.

        Of several sources the first that has any objects counts, as where facts are joined. Outlines stay in the database.
        """
        wanted = cast(list(image_ids), ARRAY(postgresql.UUID(as_uuid=True)))
        labels = func.jsonb_path_query_array(ImageFactsRow.facts, cast("$.objects[*].label", JSONPATH)).label("labels")
        query = select(ImageFactsRow.image_id, labels).where(ImageFactsRow.image_id == any_(wanted))
        if sources is not None:
            query = query.where(ImageFactsRow.source.in_(sources))
        found: dict[UUID, list[str]] = {}
        for row in self.session.execute(query.order_by(ImageFactsRow.created_at, ImageFactsRow.id)):
            if not found.get(row.image_id):
                found[row.image_id] = [str(name) for name in row.labels]
        return {image_id: found[image_id] for image_id in image_ids if image_id in found}

    def add_or_fill(self, stated: StatedFacts) -> bool:
        """Add a record, or fill in what the one with this name lacks; True if anything changed.

        Raises Conflict when the record is known as another image, BadRegions when it is known with another frame.
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
        row = self.session.execute(select(ImageFactsRow.image_id, ImageFactsRow.facts).where(*same)).one()
        if row.image_id != stated.image_id:
            raise Conflict(
                f"the source {stated.source} knows this record as another picture; name a source of its own for these files"
            )
        known = ImageFacts.from_json(row.facts)
        whole = filled(known, stated.facts)
        if whole == known:
            return False
        self.session.execute(update(ImageFactsRow).where(*same).values(facts=whole.to_json()))
        return True
