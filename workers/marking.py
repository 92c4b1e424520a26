"""mark_set.create: image -> regions -> marks -> overlay, all in the catalog in one transaction.

Also what answering and annotating call when an image has no marks yet. Knows no HTTP.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository, marking_of, regions_of
from app.catalog.tables import ImageRow, MarkSetRow
from app.formats.exports import read_regions
from app.formats.lookalikes import kept_lookalikes
from app.imaging.encode import encode, read_canonical
from app.services.marking import kept_settings
from app.storage.blobs import overlay_key
from models.marks import Marking, Previous, find_lookalikes, mark, style_of
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions
from models.registry import choose_segmenter, segmenter
from workers.context import JobContext

Picture = NDArray[np.uint8]
Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A marked image in memory; `mark_set` is an unsaved row, the stored one when `stored`, or None without marks.

    `painted` is asked for the overlay once, when somebody wants it: to read a stored one takes as long as to read the image.
    """

    image: ImageRow
    pixels: Picture
    painted: Callable[[], Picture]
    regions: Regions
    marking: Marking
    mark_set: MarkSetRow | None
    stored: bool
    timing_ms: dict[str, float]

    @property
    def overlay(self) -> Picture:
        """The image with its marks; raises BlobError where it is lost or damaged."""
        return self.painted()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmented:
    """Regions, and which segmenter made them in how many seconds."""

    name: str
    version: str
    regions: Regions
    seconds: float = 0.0


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `mark_set.create` job."""
    payload = job.payload
    marked = marked_image(job, UUID(payload["image_id"]), payload["settings"], payload["settings_sha256"])
    job.finish(lambda session: {"mark_set_id": str(save(session, marked))})
    return None


def marked_image(
    job: JobContext,
    image_id: UUID,
    settings: dict[str, Any],
    settings_sha256: str,
    *,
    report: Report | None = None,
) -> Marked:
    """Return the image with the marks of these settings, from the catalog or newly made; raises NotFound, BadInput.

    `report` hears of the stages; without one they are the job's own progress.
    """
    told = report or job.progress
    with job.transaction() as session:
        known = MarkSetRepository(session).find(image_id, settings_sha256)
    if known is not None:
        return stored_marks(job, known.id)
    with job.transaction() as session:
        image = ImageRepository(session).get(image_id)
        previous = previous_of(session, settings["previous_mark_set_id"])
    told(0, 3, "decode")
    pixels = read_canonical(job.resources.blobs.get(image.blob_key))
    request = segment_request(settings, (image.height, image.width))
    name = choose_segmenter(settings["segmenter"], pixels, request)
    told(1, 3, f"segment:{name}")
    started = time.perf_counter()
    chosen = segmenter(name)
    regions = chosen.segment(pixels, request)
    segmented = time.perf_counter()
    told(2, 3, "mark")
    made = Segmented(name=chosen.name, version=chosen.version, regions=regions, seconds=segmented - started)
    return marked_regions(job, image, pixels, made, settings, settings_sha256, previous=previous)


def marked_regions(
    job: JobContext,
    image: ImageRow,
    pixels: Picture,
    made: Segmented,
    settings: dict[str, Any],
    settings_sha256: str,
    *,
    previous: Previous | None = None,
) -> Marked:
    """Put marks on the regions of an image and store the overlay; the row is not saved yet."""
    began = time.perf_counter()
    style = style_of(settings["style"])
    overlay, marking = mark(pixels, made.regions, style, previous=previous, max_marks=settings["max_marks"])
    lookalikes = kept_lookalikes(find_lookalikes(pixels))
    marked_at = time.perf_counter()
    key = overlay_key(str(job.tenant_id), f"{image.id}-{settings_sha256[:16]}", style.name, "png")
    painted = encode(overlay)
    job.resources.blobs.put_if_absent(key, painted)
    row = MarkSetRow(
        image_id=image.id,
        segmenter_name=made.name,
        segmenter_version=made.version,
        granularity=settings["granularity"],
        style={"name": style.name},
        settings=kept_settings(settings),
        settings_sha256=settings_sha256,
        omitted_regions=marking.omitted_regions,
        overlay_blob_key=key,
        overlay_bytes=len(painted),
        lookalikes=lookalikes,
    )
    return Marked(
        image=image,
        pixels=pixels,
        painted=lambda: overlay,
        regions=made.regions,
        marking=marking,
        mark_set=row,
        stored=False,
        timing_ms={"segment": 1000 * made.seconds, "mark": 1000 * (marked_at - began)},
    )


def stored_marks(job: JobContext, mark_set_id: UUID) -> Marked:
    """Return a stored mark set with its pictures, the painted one read when it is asked for; raises NotFound, BlobError."""
    with job.transaction() as session:
        mark_sets = MarkSetRepository(session)
        row = mark_sets.get(mark_set_id)
        marks = mark_sets.marks(mark_set_id)
        image = ImageRepository(session).get(row.image_id)
    blobs = job.resources.blobs
    return Marked(
        image=image,
        pixels=read_canonical(blobs.get(image.blob_key)),
        painted=cache(lambda: read_canonical(blobs.get(row.overlay_blob_key))),
        regions=regions_of((image.height, image.width), marks),
        marking=marking_of(row, marks, style_of(row.settings["style"])),
        mark_set=row,
        stored=True,
        timing_ms={},
    )


def save(session: Session, marked: Marked) -> UUID:
    """Store the mark set in the caller's transaction unless it is there; returns its id."""
    if marked.mark_set is None:
        raise ValueError("a picture without marks has no mark set to save")
    if marked.stored:
        return marked.mark_set.id
    return MarkSetRepository(session).add(marked.mark_set, marked.regions, marked.marking)


def previous_of(session: Session, mark_set_id: str | None) -> Previous | None:
    """The earlier mark set whose ids same regions keep."""
    if mark_set_id is None:
        return None
    mark_sets = MarkSetRepository(session)
    row = mark_sets.get(UUID(mark_set_id))
    marks = mark_sets.marks(row.id)
    image = ImageRepository(session).get(row.image_id)
    style = style_of(row.settings["style"])
    return Previous(regions=regions_of((image.height, image.width), marks), marking=marking_of(row, marks, style))


def segment_request(settings: dict[str, Any], size_hw: tuple[int, int]) -> SegmentRequest:
    """What the stored settings say to a segmenter of an image of `size_hw`; raises BadRegions."""
    stated = settings["regions"]
    listed = stated if isinstance(stated, list) else ()
    return SegmentRequest(
        granularity=settings["granularity"],
        provided=tuple(_provided(region) for region in listed),
        complete=None if stated is None or isinstance(stated, list) else read_regions(stated, size_hw),
        accessibility_tree=settings["accessibility_tree"],
        device_pixel_ratio=settings["device_pixel_ratio"],
    )


def _provided(region: dict[str, Any]) -> ProvidedRegion:
    box, polygon, stroke, point = (region.get(k) for k in ("bbox_xyxy_px", "polygon_px", "stroke_px", "point_xy_px"))
    return ProvidedRegion(
        id=region.get("id"),
        bbox_xyxy_px=None if box is None else (box[0], box[1], box[2], box[3]),
        polygon_px=None if polygon is None else tuple(tuple(ring) for ring in polygon),
        rle=region.get("rle"),
        point_xy_px=None if point is None else (point[0], point[1]),
        stroke_px=None if stroke is None else tuple((p[0], p[1]) for p in stroke),
        text=region.get("text"),
        role=region.get("role"),
    )
