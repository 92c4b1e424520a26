"""Find or order the mark set for (image, settings).

The same image with the same settings is the same mark set: the settings are written as canonical JSON and hashed, and
the catalog holds that hash unique per image. The work itself is a job's.
"""

import hashlib
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.marks import StoredMark
from app.catalog.paging import Page
from app.catalog.tables import ImageRow, JobRow, MarkSetRow
from app.errors import Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.settings import Settings
from models.errors import BadInput
from models.marks import style_of
from models.registry import not_yet, offered_names, weights_of
from models.segmenters.installed import Installed

# Raised whenever a segmenter or the placement changes what it makes, so that old sets are not taken for new ones.
MARKING_VERSION = 2
Shown = tuple[Row[Any], list[StoredMark]]
"""A mark set as `MarkSetRepository.shown` returns it, and its marks."""


def canonical_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a mark set in the one form that is hashed and stored; raises Unprocessable.

    `given` is the body of `MarksIn` as JSON values: what was not sent has its default here.
    """
    regions = given.get("regions")
    segmenter = given.get("segmenter") or ("provided" if regions is not None else "auto")
    if sentence := not_yet(segmenter):
        raise Unprocessable(sentence)
    if segmenter not in offered_names():
        raise Unprocessable(f'unknown segmenter "{segmenter}"; known are {", ".join(offered_names())}')
    if segmenter == "provided" and regions is None and given.get("accessibility_tree") is None:
        raise Unprocessable("The segmenter `provided` needs `regions` or an `accessibility_tree`.")
    try:
        style_of(given.get("style", "markwise"))
    except BadInput as exc:
        raise Unprocessable(str(exc)) from None
    weights = weights_of(segmenter)
    return ({} if weights is None else {"weights": weights}) | {
        "segmenter": segmenter,
        "granularity": given.get("granularity"),
        "style": given.get("style", "markwise"),
        "regions": regions,
        "accessibility_tree": given.get("accessibility_tree"),
        "device_pixel_ratio": given.get("device_pixel_ratio", 1.0),
        "previous_mark_set_id": given.get("previous_mark_set_id"),
        "max_marks": given.get("max_marks"),
    }


def kept_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what a mark set keeps of its settings: of an accessibility tree its digest, for its elements are the marks.

    A tree of a real page has 100 kB and more, and every reading of the mark set would carry it.
    """
    tree = settings["accessibility_tree"]
    if tree is None:
        return settings
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return settings | {"accessibility_tree": {"sha256": hashlib.sha256(text.encode()).hexdigest()}}


def installed(settings: Settings) -> Installed:
    """Return which weights and segmenters the operator installed, for `models.registry.install`."""
    return Installed(
        weights=settings.segmenter_weights,
        cache=settings.weights_folder,
        compiled=settings.compile_segmenters,
        outside=settings.segmenters,
    )


def settings_sha256(settings: dict[str, Any]) -> str:
    """The identity of canonical settings."""
    text = json.dumps({"version": MARKING_VERSION, **settings}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def find(session: Session, image_id: UUID, settings: dict[str, Any]) -> MarkSetRow | None:
    """Return the mark set that these settings made before; raises NotFound for an unknown image or previous set."""
    ImageRepository(session).get(image_id)
    if settings["previous_mark_set_id"] is not None:
        MarkSetRepository(session).get(UUID(settings["previous_mark_set_id"]))
    return MarkSetRepository(session).find(image_id, settings_sha256(settings))


def order(session: Session, image_id: UUID, settings: dict[str, Any], idempotency_key: str | None) -> JobRow:
    """Queue the marking of an image, ahead of batch work."""
    return enqueue(
        session,
        kind="mark_set.create",
        queue=Queue.INTERACTIVE,
        payload={"image_id": str(image_id), "settings": settings, "settings_sha256": settings_sha256(settings)},
        idempotency_key=idempotency_key,
    )


def whole(session: Session, mark_set_id: UUID) -> tuple[MarkSetRow, list[StoredMark], ImageRow]:
    """Return a mark set with its marks and its image; raises NotFound."""
    mark_sets = MarkSetRepository(session)
    row = mark_sets.get(mark_set_id)
    return row, mark_sets.marks(mark_set_id), ImageRepository(session).get(row.image_id)


def shown(session: Session, mark_set_id: UUID, *, masks: bool) -> Shown:
    """Return a mark set as `mark_set_body` shows it; raises NotFound."""
    mark_sets = MarkSetRepository(session)
    row = mark_sets.shown(mark_set_id)
    return row, mark_sets.marks_of([mark_set_id], masks=masks).get(mark_set_id, [])


def shown_page(session: Session, *, limit: int, after: str | None, image_id: UUID | None = None) -> Page[Any]:
    """Return a page of `Shown`, newest first and without masks, in as many questions as one of them takes."""
    mark_sets = MarkSetRepository(session)
    page = mark_sets.list_after(limit=limit, after=after, image_id=image_id)
    marks = mark_sets.marks_of([row.id for row in page.rows], masks=False)
    return replace(page, rows=[(row, marks.get(row.id, [])) for row in page.rows])
