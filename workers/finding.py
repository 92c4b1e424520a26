"""finding.run: a finder looks at images of the catalog, each committed as it is done; what it ranks is read from the rows.

Where the order says which images are known to be tagged, precision at k is told as events and kept as the job's result.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.candidates import CandidateRepository
from app.catalog.images import ImageRepository
from app.errors import AppError
from app.imaging.encode import read_canonical
from app.storage.blobs import BlobError
from models.errors import BadImage, ModelError
from models.finder.net import Finder
from models.finder.ranking import Found, precisions
from models.finder.search import scored
from workers.context import Item, JobContext
from workers.retries import GiveUp, decide


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `finding.run` job; its result says how many images were ranked, and how well where that is known."""
    order = job.payload["finding"]
    with job.transaction() as session:
        finder = job.resources.models.finder(session, UUID(order["model_version_id"]))
    for item in job.items():
        image_id = UUID(item.payload["image_id"])
        try:
            found = _found(job, finder, image_id)
        except (ModelError, AppError, BlobError) as error:
            _fail(job, item, error)
        else:
            job.finish_item(item, partial(_keep, job.job_id, image_id, found))
    with job.transaction() as session:
        ranked = CandidateRepository(session).images(job.job_id)
    metrics = {} if order["tagged_label"] is None else _measured(job, ranked, order["tagged_label"])
    for name, value in metrics.items():
        job.metric(name, value)
    # Without a result the runner looks whether every item has failed.
    return {"candidates": len(ranked), "metrics": metrics} if ranked else None


def _found(job: JobContext, finder: Finder, image_id: UUID) -> Found:
    with job.transaction() as session:
        key = ImageRepository(session).get(image_id).blob_key
    try:
        pixels = read_canonical(job.resources.blobs.get(key))
    except ValueError:
        raise BadImage("the stored picture cannot be read") from None
    return scored(finder, str(image_id), pixels)


def _fail(job: JobContext, item: Item, error: Exception) -> None:
    """Record that an image cannot be looked at; what only a dependency's absence explains ends the attempt instead."""
    verdict = decide(error, job.attempt)
    if not isinstance(verdict, GiveUp):
        job.give_back(item)
        raise error
    job.fail_item(item, verdict.error)


def _keep(job_id: UUID, image_id: UUID, found: Found, session: Session) -> dict[str, Any]:
    CandidateRepository(session).put(job_id, image_id, score=found.score, bbox_xyxy_px=found.bbox_xyxy_px)
    return {"image_id": str(image_id), "score": found.score}


def _measured(job: JobContext, ranked: Sequence[UUID], label: str) -> dict[str, float]:
    with job.transaction() as session:
        tagged = CandidateRepository(session).labelled(job.job_id, label)
    if not tagged:
        job.log(f"none of the ranked images carries the label {label}", level="warning")
        return {}
    return precisions([str(image_id) for image_id in ranked], frozenset(map(str, tagged)))
