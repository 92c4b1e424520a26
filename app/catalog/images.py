"""Images in the catalog: added once per tenant and sha256, found by id or sha256. Looking for some is `gallery`'s."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, any_, cast, delete, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from app.catalog.paging import Page, columns_after
from app.catalog.storage_use import StorageUses
from app.catalog.tables import DatasetItemRow, DatasetRow, ImageRow, TextRow
from app.errors import Conflict, NotFound

_SHOWN = select(
    ImageRow.id,
    ImageRow.sha256,
    ImageRow.media_type,
    ImageRow.width,
    ImageRow.height,
    ImageRow.bytes,
    ImageRow.labels,
    ImageRow.created_at,
)


class ImageRepository:
    """All SQL about images."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, image_id: UUID) -> ImageRow:
        """Return one image; raises NotFound."""
        row = self.session.get(ImageRow, image_id)
        if row is None:
            raise NotFound("There is no image with this id.")
        return row

    def find_by_sha256(self, sha256: str) -> ImageRow | None:
        """Return the image whose received bytes have this digest, if there is one."""
        return self.session.scalar(select(ImageRow).where(ImageRow.sha256 == sha256))

    def add(self, row: ImageRow) -> tuple[ImageRow, bool]:
        """Insert the image, or find the one that was there first; returns it and whether it is new. Raises StorageFull."""
        columns = {
            column.name: getattr(row, column.key)
            for column in ImageRow.__table__.columns
            if getattr(row, column.key) is not None
        }
        inserted = self.session.execute(
            insert(ImageRow).values(**columns).on_conflict_do_nothing().returning(ImageRow.id)
        ).scalar_one_or_none()
        if inserted is not None:
            StorageUses(self.session).check(row.key_id)
        found = self.find_by_sha256(row.sha256)
        if found is None:
            raise NotFound("The image was deleted while it was being added.")
        return found, inserted is not None

    def add_labels(self, image_id: UUID, labels: list[str]) -> None:
        """Add labels that the image does not carry yet, keeping their order."""
        row = self.get(image_id)
        fresh = [label for label in dict.fromkeys(labels) if label not in row.labels]
        if fresh:
            self.session.execute(update(ImageRow).where(ImageRow.id == image_id).values(labels=[*row.labels, *fresh]))
            self.session.refresh(row)

    def list_after(self, *, limit: int, after: str | None) -> Page[Any]:
        """Return what lists show of a page of all images, newest first."""
        return columns_after(self.session, _SHOWN, ImageRow, limit=limit, after=after)

    def shown(self, ids: Sequence[UUID]) -> list[Row[Any]]:
        """Return what lists show of those of `ids` that exist, newest first."""
        query = _SHOWN.where(_among(ids)).order_by(ImageRow.created_at.desc(), ImageRow.id.desc())
        return list(self.session.execute(query))

    def ids_with_label(self, label: str) -> list[UUID]:
        """Return the ids of all images with a label, oldest first."""
        query = select(ImageRow.id).where(ImageRow.labels.contains([label]))
        return list(self.session.scalars(query.order_by(ImageRow.created_at, ImageRow.id)))

    def with_ids(self, ids: Sequence[UUID]) -> dict[UUID, ImageRow]:
        """Return those of `ids` that exist, by id."""
        return {row.id: row for row in self.session.scalars(select(ImageRow).where(ImageRow.id.in_(ids)))}

    def existing_ids(self, ids: list[UUID]) -> set[UUID]:
        """Return those of `ids` that exist."""
        return set(self.session.scalars(select(ImageRow.id).where(_among(ids))))

    def delete(self, image_id: UUID) -> None:
        """Delete an image and everything that hangs on it; raises NotFound, or Conflict where a dataset holds a text about it."""
        self.get(image_id)
        held = select(DatasetRow.name).join(DatasetItemRow, DatasetItemRow.dataset_id == DatasetRow.id)
        about = held.join(TextRow, TextRow.id == DatasetItemRow.text_id).where(TextRow.image_id == image_id)
        if (name := self.session.scalar(about.limit(1))) is not None:
            raise Conflict(
                f"The dataset {name} holds a text about this image; datasets cannot change, so the image stays."
            )
        self.session.execute(delete(ImageRow).where(ImageRow.id == image_id))


def _among(ids: Sequence[UUID]) -> ColumnElement[bool]:
    """One array, not one parameter each: a statement takes 65,535 of them, and they are written out anew for every number of them."""
    return ImageRow.id == any_(cast(list(ids), ARRAY(postgresql.UUID(as_uuid=True))))
