"""A catalog full of synthetic marked images, and workers to write about them: for the kill test and the factory bench.

The rows are real and made by SQL in the database; all images share one small picture, so that 100,000 of them take seconds.
"""

import time
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import Engine, text

from app.catalog.session import transaction
from app.catalog.tables import JobRow
from app.http.schemas.annotating import AnnotationIn
from app.imaging.encode import encode
from app.services import annotating
from app.settings import Settings
from app.storage.blobs import open_blobs

MARKS = 5
_CHUNK = 10_000
_PICTURE = "stand/picture.png"
_IMAGES = """
    INSERT INTO images (sha256, media_type, width, height, bytes, labels, source, blob_key)
    SELECT md5(i::text) || md5('x' || i), 'image/png', 640, 480, 1, ARRAY['stand'], 'stand', :picture
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS i
"""
_SETS = """
    INSERT INTO mark_sets (image_id, segmenter_name, segmenter_version, style, settings, settings_sha256, omitted_regions, overlay_blob_key)
    SELECT id, 'provided', '1', '{"name": "markwise"}', '{"style": "markwise"}', 'stand', 0, :picture
    FROM images WHERE NOT EXISTS (SELECT 1 FROM mark_sets WHERE mark_sets.image_id = images.id)
"""
_MARKS = """
    INSERT INTO marks (mark_set_id, mark, position, region_id, bbox_xyxy_px, point_xy_px, occluded, label_xy_px,
        label_bbox_xyxy_px, area_px, score, text, rle)
    SELECT s.id, m::text, m - 1, 'r' || m, jsonb_build_array(100 * m, 10, 100 * m + 80, 90), '[1, 1]', false, '[1, 1]',
        '[1, 1, 9, 9]', 6400, 1, (ARRAY['cat', 'red car', 'person', 'tree', 'wooden chair'])[1 + ((m + hashtext(s.id::text)) & 3)],
        '{"size": [480, 640], "counts": ""}'
    FROM mark_sets s, generate_series(1, CAST(:marks AS int)) AS m
    WHERE NOT EXISTS (SELECT 1 FROM marks WHERE marks.mark_set_id = s.id)
"""


def fill(engine: Engine, settings: Settings, tenant: UUID, count: int, first: int = 0) -> list[tuple[UUID, UUID]]:
    """Add `count` images, each with a mark set of five named marks; returns all (image, mark set) pairs."""
    pixels = np.full((480, 640, 3), 200, np.uint8)
    open_blobs(settings.blobs_place).put_if_absent(_PICTURE, encode(pixels))
    for start in range(first, first + count, _CHUNK):
        last = min(start + _CHUNK, first + count) - 1
        with transaction(engine, tenant) as session:
            session.execute(text(_IMAGES), {"picture": _PICTURE, "first": start, "last": last})
            session.execute(text(_SETS), {"picture": _PICTURE})
            session.execute(text(_MARKS), {"marks": MARKS})
    with transaction(engine, tenant) as session:
        rows = session.execute(text("SELECT image_id, id FROM mark_sets ORDER BY image_id"))
        return [(row.image_id, row.id) for row in rows]


def order(engine: Engine, tenant: UUID, pairs: list[tuple[UUID, UUID]], **given: object) -> UUID:
    """Order texts about these marked images, as the API does."""
    body = {
        "images": {"ids": [str(image_id) for image_id, _ in pairs]},
        "mark_set_ids": [str(mark_set_id) for _, mark_set_id in pairs],
    }
    parsed = AnnotationIn.model_validate(body | given).model_dump(mode="json")
    with transaction(engine, tenant) as session:
        return annotating.annotate(session, parsed, remote_model="fake-teacher", idempotency_key=None).id


def job_of(engine: Engine, tenant: UUID, job_id: UUID) -> JobRow:
    """The job as it is now."""
    with transaction(engine, tenant) as session:
        return session.get_one(JobRow, job_id)


def finished(engine: Engine, tenant: UUID, job_id: UUID, *, within_s: float, log: Path | None = None) -> JobRow:
    """Follow a job to its end."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        job = job_of(engine, tenant, job_id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(0.1)
    tail = "" if log is None else log.read_text(errors="replace")[-4_000:]
    raise AssertionError(f"{job.status} with {job.progress_done} of {job.progress_total} done\n{tail}")


def counts(engine: Engine, tenant: UUID, job_id: UUID) -> dict[str, int]:
    """How many items ended well, how many texts there are, and how many items have not exactly one."""
    # Two plain counts: joined, a table that was filled a moment ago and never analysed is read in a nested loop.
    of_items = """
        SELECT count(*) AS items, count(*) FILTER (WHERE status = 'succeeded') AS succeeded, max(attempt) AS most_attempts,
            count(*) FILTER (WHERE attempt > 1) AS begun_again FROM job_items WHERE job_id = :job
    """
    of_texts = "SELECT count(*) AS texts, count(DISTINCT job_item) AS written FROM texts WHERE job_id = :job"
    with transaction(engine, tenant) as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        items = session.execute(text(of_items), {"job": job_id}).mappings().one()
        texts = session.execute(text(of_texts), {"job": job_id}).mappings().one()
    found = {**items, **texts}
    return found | {"not_once": found["items"] - found["written"] + found["texts"] - found["written"]}
