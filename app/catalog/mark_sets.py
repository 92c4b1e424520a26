"""Mark sets in the catalog: written whole, read back as the values the model library works on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, any_, func, select, tuple_
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Session, aliased

from app.catalog.marks import StoredMark, marks_of, stored_mark
from app.catalog.paging import Page, columns_after
from app.catalog.storage_use import StorageUses
from app.catalog.tables import ImageRow, MarkRow, MarkSetRow
from app.errors import NotFound
from models.marks import Mark, Marking, MarkStyle
from models.regions import Regions

_UNKNOWN = "There is no mark set with this id."
# Of the settings only the style: with `provided` they hold every region that was given. A style that is null stays null.
_STYLE = func.coalesce(MarkSetRow.settings["style"], sql_cast("markwise", JSONB), type_=JSONB)
_SHOWN = select(
    MarkSetRow.id,
    MarkSetRow.created_at,
    MarkSetRow.segmenter_name,
    MarkSetRow.segmenter_version,
    MarkSetRow.granularity,
    _STYLE.label("style"),
    MarkSetRow.omitted_regions,
    MarkSetRow.lookalikes,
    MarkSetRow.image_id,
    ImageRow.sha256,
    ImageRow.width,
    ImageRow.height,
).join(ImageRow, ImageRow.id == MarkSetRow.image_id)


class MarkSetRepository:
    """All SQL about mark sets and their marks."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, mark_set_id: UUID) -> MarkSetRow:
        """Return one mark set; raises NotFound."""
        row = self.session.get(MarkSetRow, mark_set_id)
        if row is None:
            raise NotFound(_UNKNOWN)
        return row

    def find(self, image_id: UUID, settings_sha256: str) -> MarkSetRow | None:
        """Return the mark set that the same settings made of the same image, if there is one."""
        return self.session.scalar(
            select(MarkSetRow).where(MarkSetRow.image_id == image_id, MarkSetRow.settings_sha256 == settings_sha256)
        )

    def with_ids(self, ids: Sequence[UUID]) -> list[MarkSetRow]:
        """Return those of `ids` that exist, in any order."""
        return list(self.session.scalars(select(MarkSetRow).where(MarkSetRow.id.in_(ids)))) if ids else []

    def images_of(self, ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """Return {mark set: image} of those of `ids` that exist, and nothing else of them."""
        wanted = sql_cast(list(ids), ARRAY(postgresql.UUID(as_uuid=True)))
        query = select(MarkSetRow.id, MarkSetRow.image_id).where(MarkSetRow.id == any_(wanted))
        return {row.id: row.image_id for row in self.session.execute(query)}

    def find_all(self, settings_of: Mapping[UUID, str]) -> list[MarkSetRow]:
        """`find` for many images at once: {image id: settings_sha256}."""
        wanted = tuple_(MarkSetRow.image_id, MarkSetRow.settings_sha256).in_(settings_of.items())
        return list(self.session.scalars(select(MarkSetRow).where(wanted))) if settings_of else []

    def names(self, ids: Sequence[UUID]) -> dict[UUID, list[Row[Any]]]:
        """Return `mark`, `bbox_xyxy_px`, `text` and `role` of the marks of many sets, in mark order, without their masks."""
        query = (
            select(MarkRow.mark_set_id, MarkRow.mark, MarkRow.bbox_xyxy_px, MarkRow.text, MarkRow.role)
            .where(MarkRow.mark_set_id.in_(ids))
            .order_by(MarkRow.mark_set_id, MarkRow.position)
        )
        found: dict[UUID, list[Row[Any]]] = {set_id: [] for set_id in ids}
        for row in self.session.execute(query) if ids else ():
            found[row.mark_set_id].append(row)
        return found

    def latest_of_image(self, image_id: UUID) -> MarkSetRow | None:
        """Return the newest mark set of an image, if it has one."""
        query = select(MarkSetRow).where(MarkSetRow.image_id == image_id)
        return self.session.scalar(query.order_by(MarkSetRow.created_at.desc(), MarkSetRow.id.desc()).limit(1))

    def newest_revisions(self, ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Return, for those of `ids` that have been corrected, the newest mark set that descends from each."""
        first = select(MarkSetRow.id.label("root"), MarkSetRow.id, MarkSetRow.created_at)
        line = first.where(MarkSetRow.id.in_(list(ids))).cte("line", recursive=True)
        child = aliased(MarkSetRow)
        line = line.union_all(select(line.c.root, child.id, child.created_at).where(child.revision_of_id == line.c.id))
        rows = self.session.execute(select(line.c.root, line.c.id).order_by(line.c.created_at, line.c.id))
        newest = {row.root: row.id for row in rows}  # the last of each line stays
        return {root: found for root, found in newest.items() if root != found}

    def marks_of(self, ids: Iterable[UUID], *, masks: bool = True) -> dict[UUID, list[StoredMark]]:
        """Return the marks of several sets, each in its order; without `masks` their `rle` stays where it is."""
        return marks_of(self.session, list(ids), masks=masks)

    def marks(self, mark_set_id: UUID) -> list[StoredMark]:
        """Return the marks of a set in their order."""
        return self.marks_of([mark_set_id]).get(mark_set_id, [])

    def shown(self, mark_set_id: UUID) -> Row[Any]:
        """Return what is shown of one mark set besides its marks: the columns of `_SHOWN`. Raises NotFound."""
        row = self.session.execute(_SHOWN.where(MarkSetRow.id == mark_set_id)).one_or_none()
        if row is None:
            raise NotFound(_UNKNOWN)
        return row

    def list_after(self, *, limit: int, after: str | None, image_id: UUID | None = None) -> Page[Any]:
        """Return a page of mark sets as `shown` returns one, newest first, optionally of one image."""
        query = _SHOWN if image_id is None else _SHOWN.where(MarkSetRow.image_id == image_id)
        return columns_after(self.session, query, MarkSetRow, limit=limit, after=after)

    def add(self, row: MarkSetRow, regions: Regions, marking: Marking) -> UUID:
        """Insert a mark set with its marks, or find the equal one that was there first; returns its id. Raises StorageFull."""
        columns = {
            column.name: getattr(row, column.key)
            for column in MarkSetRow.__table__.columns
            if getattr(row, column.key) is not None
        }
        new_id = self.session.execute(
            insert(MarkSetRow).values(**columns).on_conflict_do_nothing().returning(MarkSetRow.id)
        ).scalar_one_or_none()
        if new_id is None:
            existing = self.find(row.image_id, row.settings_sha256)
            if existing is None:
                raise NotFound("The mark set was deleted while it was being added.")
            return existing.id
        StorageUses(self.session).check(None)
        if marking.marks:
            self.session.execute(
                insert(MarkRow), [mark_columns(new_id, i, stored_mark(m, regions)) for i, m in enumerate(marking.marks)]
            )
        return new_id


def mark_columns(mark_set_id: UUID, position: int, mark: StoredMark) -> dict[str, Any]:
    """The columns of one mark of a set."""
    return {"mark_set_id": mark_set_id, "position": position, **mark._asdict()}


def regions_of(size_hw: tuple[int, int], marks: Sequence[StoredMark]) -> Regions:
    """Rebuild the regions of stored marks, in mark order, on an image of `size_hw` pixels."""
    return Regions(
        size_hw=size_hw,
        boxes_xyxy_px=np.array([mark.bbox_xyxy_px for mark in marks], np.float32).reshape(-1, 4),
        rles=tuple({"size": mark.rle["size"], "counts": mark.rle["counts"]} for mark in marks),
        scores=np.array([mark.score for mark in marks], np.float32),
        texts=tuple(mark.text for mark in marks),
        roles=tuple(mark.role for mark in marks),
        ids=tuple(mark.region_id for mark in marks),
        points_xy_px=tuple((mark.point_xy_px[0], mark.point_xy_px[1]) for mark in marks),
    )


def marking_of(row: MarkSetRow, marks: Sequence[StoredMark], style: MarkStyle) -> Marking:
    """Rebuild the placed marks of a stored set; region indices follow `regions_of`."""
    return Marking(
        marks=tuple(
            Mark(
                id=mark.mark,
                region_index=index,
                region_id=mark.region_id,
                bbox_xyxy_px=_four(mark.bbox_xyxy_px),
                point_xy_px=(mark.point_xy_px[0], mark.point_xy_px[1]),
                occluded=mark.occluded,
                label_xy_px=(mark.label_xy_px[0], mark.label_xy_px[1]),
                label_bbox_xyxy_px=_four(mark.label_bbox_xyxy_px),
                leader=None if mark.leader is None else _four(mark.leader),
                area_px=mark.area_px,
                score=mark.score,
                text=mark.text,
                role=mark.role,
                color_rgb=(0, 0, 0),
            )
            for index, mark in enumerate(marks)
        ),
        omitted_regions=row.omitted_regions,
        style=style,
    )


def _four(values: list[Any]) -> tuple[float, float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]), float(values[3]))
