"""Marks as rows, read for many mark sets at once: Postgres writes those of a set as one JSON text, and no ORM object is made of any.

Called by `mark_sets`; what they say on the way to a body or to the model library are `StoredMark`s. Knows no mark set and no body.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Select, Text, any_, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session

from app.catalog.tables import MarkRow
from models.marks import Mark
from models.regions import Regions


class StoredMark(NamedTuple):
    """The columns of `MarkRow` that are the mark itself, under their names; geometry in pixels of the displayed image."""

    score: float
    mark: str
    region_id: str
    bbox_xyxy_px: list[float]
    point_xy_px: list[float]
    occluded: bool
    label_xy_px: list[float]
    label_bbox_xyxy_px: list[float]
    leader: list[float] | None
    area_px: int
    text: str | None
    role: str | None
    rle: dict[str, Any]
    """Empty where masks were not asked for: it is most of a row."""


def _sets_of(*columns: str) -> Select[UUID, str]:
    in_order = aggregate_order_by(
        func.json_build_array(*(getattr(MarkRow, name) for name in columns)), MarkRow.position
    )
    wanted = MarkRow.mark_set_id == any_(bindparam("ids", type_=ARRAY(postgresql.UUID(as_uuid=True))))
    # As text: psycopg would read it with Python's json, which takes four times as long.
    return select(MarkRow.mark_set_id, cast(func.json_agg(in_order), Text)).where(wanted).group_by(MarkRow.mark_set_id)


# Made once: to put one together takes longer than to run it.
_WITH_MASKS, _WITHOUT_MASKS = _sets_of(*StoredMark._fields), _sets_of(*StoredMark._fields[:-1])


def stored_mark(mark: Mark, regions: Regions) -> StoredMark:
    """Return what is stored of one of the marks placed on `regions`."""
    return StoredMark(
        score=float(mark.score),
        mark=mark.id,
        region_id=mark.region_id,
        bbox_xyxy_px=_stored(mark.bbox_xyxy_px),
        point_xy_px=_stored(mark.point_xy_px),
        occluded=bool(mark.occluded),
        label_xy_px=_stored(mark.label_xy_px),
        label_bbox_xyxy_px=_stored(mark.label_bbox_xyxy_px),
        leader=None if mark.leader is None else _stored(mark.leader),
        area_px=int(mark.area_px),
        text=mark.text,
        role=mark.role,
        rle=dict(regions.rles[mark.region_index]),
    )


def marks_of(session: Session, ids: Sequence[UUID], *, masks: bool) -> dict[UUID, list[StoredMark]]:
    """Return the marks of several sets, each in its order; a set without marks is not among them.

    A thousand marks take 5 ms of our CPU time; as columns of their own 20, as ORM objects 40.
    """
    rows = session.execute(_WITH_MASKS if masks else _WITHOUT_MASKS, {"ids": ids})
    return {set_id: _read(orjson.loads(text), masks) for set_id, text in rows}


def _read(marks: list[list[Any]], masks: bool) -> list[StoredMark]:
    for mark in marks:
        mark[0] = float(mark[0])  # JSON has one kind of number: Postgres writes a score of 1.0 as 1
    return [StoredMark._make(mark if masks else [*mark, {}]) for mark in marks]


def _stored(values: Iterable[float]) -> list[float]:
    """Thousandths of a pixel: regions hold float32, in which 10.3 is 10.300000190734863."""
    return [round(float(value), 3) for value in values]
