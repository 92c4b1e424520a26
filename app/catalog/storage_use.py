"""What is stored and how much may be, per tenant and per key. Triggers of migration 0015 count; this reads, limits and refuses.

`check` is called in the transaction that has just added something: its rows are counted and their owners' counts locked, so of
two that race for the last place one is refused.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import StorageUseRow
from app.errors import StorageFull

# Columns and not rows: a session remembers a row as it first saw it, and triggers change these.
_COLUMNS = (
    StorageUseRow.owner,
    StorageUseRow.images,
    StorageUseRow.bytes,
    StorageUseRow.max_images,
    StorageUseRow.max_bytes,
)
_TENANT = cast(func.current_setting("app.tenant"), postgresql.UUID(as_uuid=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUse:
    """How many images and bytes lie there, and how many may; None is no limit."""

    images: int = 0
    bytes: int = 0
    max_images: int | None = None
    max_bytes: int | None = None

    def lacks(self, *, room_for: int = 0) -> str | None:
        """Say which limit is passed, or would be by so many images more; None if none is."""
        if self.max_images is not None and self.images + room_for > self.max_images:
            return f"{self.images} of {self.max_images} images are stored"
        if self.max_bytes is not None and self.bytes + room_for > self.max_bytes:
            return f"{self.bytes} of {self.max_bytes} bytes are stored"
        return None


def _use_of(row: Any) -> StorageUse:
    return StorageUse(images=row.images, bytes=row.bytes, max_images=row.max_images, max_bytes=row.max_bytes)


class StorageUses:
    """All SQL about storage, within one tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def of_tenant(self) -> StorageUse:
        """What the tenant stores in all."""
        row = self.session.execute(select(*_COLUMNS).where(StorageUseRow.owner == _TENANT)).one_or_none()
        return StorageUse() if row is None else _use_of(row)

    def of_keys(self, key_ids: list[UUID]) -> dict[UUID, StorageUse]:
        """What each key has let in that is still there."""
        rows = self.session.execute(select(*_COLUMNS).where(StorageUseRow.owner.in_(key_ids)))
        found = {row.owner: _use_of(row) for row in rows}
        return {key_id: found.get(key_id, StorageUse()) for key_id in key_ids}

    def check(self, key_id: UUID | None, *, room_for: int = 0) -> None:
        """Raise StorageFull where the tenant or the key stores more than it may, or would with so many images more."""
        mine = StorageUseRow.owner == _TENANT
        owners = mine if key_id is None else or_(mine, StorageUseRow.owner == key_id)
        query = select(mine.label("whole"), *_COLUMNS).where(owners)
        for row in self.session.execute(query):
            lack = _use_of(row).lacks(room_for=room_for)
            if lack is not None:
                whose = "this tenant" if row.whole else "this key"
                raise StorageFull(f"Of {whose} {lack}. Delete images, or have the limit raised.")

    def limit(self, owner: UUID | None, *, max_images: int | None, max_bytes: int | None) -> None:
        """Set the limits of a key, or without one of the tenant; None is no limit. What is stored already stays."""
        given = {"max_images": max_images, "max_bytes": max_bytes}
        statement = insert(StorageUseRow).values(owner=_TENANT if owner is None else owner, **given)
        self.session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "owner"], set_=given))
