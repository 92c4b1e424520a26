"""Which texts are about marks that a person has corrected since, and whether they still fit the newest ones.

Called where texts are listed and where datasets are built, for many texts at once.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.mark_sets import MarkSetRepository
from app.catalog.marks import StoredMark
from app.catalog.tables import TextRow
from models.mixtures.fit import Outdated, still_fits
from models.writers.types import TaggedMark


def outdated(session: Session, texts: Sequence[TextRow]) -> Mapping[UUID, Outdated]:
    """Return what is outdated among `texts`, by the id of the text."""
    sets = {text.mark_set_id for text in texts if text.mark_set_id is not None}
    if not sets:
        return {}
    mark_sets = MarkSetRepository(session)
    newest = mark_sets.newest_revisions(sets)
    if not newest:
        return {}
    marks = mark_sets.marks_of({*newest, *newest.values()}, masks=False)
    found = {}
    for text in texts:
        if text.mark_set_id is None or text.mark_set_id not in newest:
            continue
        now = newest[text.mark_set_id]
        before, after = (_values(marks.get(of, [])) for of in (text.mark_set_id, now))
        fits = still_fits(text.kind, text.conversations, before, after)
        found[text.id] = Outdated(newest=str(now), fits=fits)
    return found


def _values(rows: Sequence[StoredMark]) -> list[TaggedMark]:
    return [
        TaggedMark(
            id=row.mark,
            name=row.text or row.role,
            bbox_xyxy_px=(row.bbox_xyxy_px[0], row.bbox_xyxy_px[1], row.bbox_xyxy_px[2], row.bbox_xyxy_px[3]),
        )
        for row in rows
    ]
