"""A person corrects a mark set: a new mark set that is a revision of the old one; the old one stays as it is.

Marks that nobody touched keep their ids and their geometry's identity (the earlier set is handed on as `previous`). No model is
asked, so this runs in the API. What an edit does to regions is `models.editing`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from app.catalog.mark_sets import MarkSetRepository, marking_of, regions_of
from app.catalog.session import transaction
from app.catalog.tables import MarkSetRow
from app.errors import NotFound, Unprocessable
from app.imaging.encode import encode, read_canonical
from app.services import marking
from app.storage.blobs import BlobStore, overlay_key
from models.editing import added, merged, split, without
from models.errors import BadInput, BadRegions
from models.marks import Previous, mark, style_of
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions
from models.registry import segmenter

Change = dict[str, Any]
Pixels = NDArray[np.uint8]


def correct(
    engine: Engine, blobs: BlobStore, tenant_id: UUID, mark_set_id: UUID, mark_id: str, changes: Change
) -> UUID:
    """Store a revision in which one mark has another box, text or role, and return its id.

    Raises NotFound, or Unprocessable for a box outside the image. The same correction twice is the same revision.
    """

    def edit(regions: Regions, places: dict[str, int], _: Pixels) -> Regions:
        return changed(regions, _place(places, mark_id), changes)

    how = {"mark": mark_id, "changes": changes}
    return _revised(engine, blobs, tenant_id, mark_set_id, how, edit)


def revise(engine: Engine, blobs: BlobStore, tenant_id: UUID, mark_set_id: UUID, change: Change) -> UUID:
    """Store a revision in which marks were deleted, merged, split or added (`op` says which), and return its id.

    Raises NotFound for a mark that is not there, Unprocessable for an edit that makes nothing. The same edit twice is the same
    revision.
    """

    def edit(regions: Regions, places: dict[str, int], pixels: Pixels) -> Regions:
        match change["op"]:
            case "delete":
                return without(regions, [_place(places, one) for one in change["marks"]])
            case "merge":
                return merged(regions, [_place(places, one) for one in change["marks"]], change.get("text"))
            case "split":
                return split(regions, _place(places, change["mark"]), change.get("line_px"))
            case "add":
                gone = [_place(places, one) for one in change.get("replaces") or ()]
                return added(without(regions, gone), _stated(regions, gone, change["region"], pixels))
            case other:
                raise Unprocessable(f'There is no edit "{other}".')

    return _revised(engine, blobs, tenant_id, mark_set_id, {"edit": change}, edit)


def _place(places: dict[str, int], mark_id: str) -> int:
    if mark_id not in places:
        raise NotFound(f"There is no mark {mark_id} in the mark set.")
    return places[mark_id]


def _stated(regions: Regions, replaced: Sequence[int], region: Change, pixels: Pixels) -> Regions:
    """The new region as the caller states it; what it does not say, id, text and role, it takes over from what it replaces."""
    first = replaced[0] if replaced else None
    given = {name: value for name, value in region.items() if value is not None}
    if first is not None:
        kept = {"id": regions.ids[first], "text": regions.texts[first], "role": regions.roles[first]}
        given = {name: value for name, value in kept.items() if value is not None} | given
    taken = {known for i, known in enumerate(regions.ids) if i not in set(replaced)}
    own = given.get("id", "")
    if own in taken or not own:
        given["id"] = next(name for n in range(1, len(regions) + 2) if (name := f"added {n}") not in taken)
    # Lists of JSON as the tuples that the port names; what they hold is checked by the segmenter.
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    request = SegmentRequest(provided=(ProvidedRegion(**fields),))
    return segmenter("provided").segment(pixels, request)


def _revised(
    engine: Engine,
    blobs: BlobStore,
    tenant_id: UUID,
    mark_set_id: UUID,
    how: dict[str, Any],
    edit: Callable[[Regions, dict[str, int], Pixels], Regions],
) -> UUID:
    """Read, edit, paint and store; `edit` gets the regions, {mark: index} and the image."""
    with transaction(engine, tenant_id) as session:
        row, marks, image = marking.whole(session, mark_set_id)
    style = style_of(row.settings["style"])
    before = regions_of((image.height, image.width), marks)
    pixels = read_canonical(blobs.get(image.blob_key))
    previous = Previous(regions=before, marking=marking_of(row, marks, style))
    try:
        regions = edit(before, {known.mark: index for index, known in enumerate(marks)}, pixels)
        overlay, placed = mark(pixels, regions, style, previous=previous, max_marks=len(regions) or 1)
    except BadInput as exc:
        raise Unprocessable(str(exc)) from None
    settings = {**row.settings, "revision_of": str(mark_set_id), **how}
    digest = marking.settings_sha256(settings)
    key = overlay_key(str(tenant_id), f"{image.id}-{digest[:16]}", style.name, "png")
    painted = encode(overlay)
    blobs.put_if_absent(key, painted)
    revision = MarkSetRow(
        image_id=image.id,
        revision_of_id=mark_set_id,
        segmenter_name=row.segmenter_name,
        segmenter_version=row.segmenter_version,
        granularity=row.granularity,
        style=row.style,
        settings=settings,
        settings_sha256=digest,
        omitted_regions=row.omitted_regions,
        overlay_blob_key=key,
        overlay_bytes=len(painted),
        lookalikes=row.lookalikes,
    )
    with transaction(engine, tenant_id) as session:
        return MarkSetRepository(session).add(revision, regions, placed)


def changed(regions: Regions, index: int, changes: dict[str, Any]) -> Regions:
    """Return the regions with one of them changed; raises BadRegions for a box that has no area in the image."""
    texts, roles = list(regions.texts), list(regions.roles)
    if "text" in changes:
        texts[index] = changes["text"]
    if "role" in changes:
        roles[index] = changes["role"]
    box = changes.get("bbox_xyxy_px")
    if box is None:
        return replace(regions, texts=tuple(texts), roles=tuple(roles))
    redrawn = Regions.from_boxes(regions.size_hw, [box])
    if redrawn.area_px(0) == 0:
        raise BadRegions("bbox_xyxy_px has no area inside the image")
    boxes, rles, points = regions.boxes_xyxy_px.copy(), list(regions.rles), list(regions.points_xy_px)
    boxes[index], rles[index], points[index] = redrawn.boxes_xyxy_px[0], redrawn.rles[0], None
    return Regions.from_rles(
        regions.size_hw,
        rles,
        boxes=boxes,
        scores=regions.scores,
        texts=texts,
        roles=roles,
        ids=regions.ids,
        points=points,
    )
