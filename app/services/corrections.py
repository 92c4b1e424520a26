"""A person corrects a mark: a new mark set that is a revision of the old one; the old one stays as it is.

All other marks keep their ids and geometry's identity (the earlier set is handed on as `previous`). No model is asked, so
this runs in the API.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.catalog.mark_sets import MarkSetRepository, marking_of, regions_of
from app.catalog.session import transaction
from app.catalog.tables import MarkSetRow
from app.errors import NotFound, Unprocessable
from app.imaging.encode import encode, read_canonical
from app.services import marking
from app.storage.blobs import BlobStore, overlay_key
from models.errors import BadInput, BadRegions
from models.marks import Previous, mark, style_of
from models.regions import Regions


def correct(
    engine: Engine, blobs: BlobStore, tenant_id: UUID, mark_set_id: UUID, mark_id: str, changes: dict[str, Any]
) -> UUID:
    """Store the revision and return its id; raises NotFound, or Unprocessable for a box outside the image.

    `changes` holds any of `bbox_xyxy_px`, `text`, `role`; the same correction twice is the same revision.
    """
    with transaction(engine, tenant_id) as session:
        row, marks, image = marking.whole(session, mark_set_id)
    index = next((i for i, known in enumerate(marks) if known.mark == mark_id), None)
    if index is None:
        raise NotFound("There is no mark with this id in the mark set.")
    style = style_of(row.settings["style"])
    before = regions_of((image.height, image.width), marks)
    previous = Previous(regions=before, marking=marking_of(row, marks, style))
    try:
        regions = changed(before, index, changes)
        pixels = read_canonical(blobs.get(image.blob_key))
        overlay, placed = mark(pixels, regions, style, previous=previous, max_marks=len(marks))
    except BadInput as exc:
        raise Unprocessable(str(exc)) from None
    settings = {**row.settings, "revision_of": str(mark_set_id), "mark": mark_id, "changes": changes}
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
        overlay_bytes=len(painted),
