"""annotation.create: one item per image; marks it if needed, writes its text, commits both with the item's state.

Two writers of listings: `rules` puts known names in mark order (the names come with the regions), `vlm` has any model
list the marks and checks that every mark is named once and none is invented. The picture that a text is about is the
mark set's overlay, so a listing is always tagged.
"""

import random
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.tables import ModelVersionRow
from app.catalog.texts import TextRepository
from models.errors import BackendDown, ModelError
from models.grounding import GroundRequest, ground
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import VlmBackend
from workers.context import Item, JobContext
from workers.marking import Marked, marked_image, save, stored_marks

TRIES = 3
NO_NAMES = {
    "code": "annotation.no_names",
    "title": "The regions carry no names",
    "status": 422,
    "detail": "The rule-based writer needs regions with a `text` or a `role` each; provide them, or use the writer `vlm`.",
}
UNFAITHFUL = {
    "code": "annotation.unfaithful",
    "title": "The model's listing does not fit the marks",
    "status": 422,
    "detail": f"Marks were left out or invented in each of {TRIES} tries.",
}


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `annotation.create` job."""
    backend, version = _writer(job)
    for item in job.items():
        try:
            _write(job, item, backend, version)
        except BackendDown:
            raise
        except ModelError as exc:
            detail = str(exc) or None
            job.fail_item(item, {"code": "item.failed", "title": "The item failed", "status": 422, "detail": detail})
    with job.transaction() as session:
        return {"texts": TextRepository(session).count_of_job(job.job_id)}


def _writer(job: JobContext) -> tuple[VlmBackend | None, ModelVersionRow | None]:
    if job.payload["writer"] == "rules":
        return None, None
    with job.transaction() as session:
        backend, version = job.resources.models.backend(session, job.payload["model"])
    backend.ready()
    return backend, version


def _write(job: JobContext, item: Item, backend: VlmBackend | None, version: ModelVersionRow | None) -> None:
    marked = _marked(job, item)
    instruction = random.Random(f"{job.payload['seed']}:{item.payload['image_id']}").choice(LIST_TEMPLATES)
    listing = rule_listing(marked) if backend is None else model_listing(backend, marked, instruction)
    if listing is None:
        job.fail_item(item, NO_NAMES if backend is None else UNFAITHFUL)
        return
    provenance = {
        "writer": job.payload["writer"],
        "model": None if backend is None else {"name": backend.name, "version": backend.version},
        "model_version_id": None if version is None else str(version.id),
        "instruction": instruction,
        "marks": len(marked.marking.marks),
    }

    def effect(session: Session) -> dict[str, Any]:
        mark_set_id = save(session, marked)
        TextRepository(session).add_once(
            {
                "image_id": marked.image.id,
                "mark_set_id": mark_set_id,
                "job_id": job.job_id,
                "job_item": item.number,
                "ordinal": 0,
                "kind": "listing",
                "tagged": True,
                "conversations": [
                    {"from": "human", "value": f"<image>\n{instruction}"},
                    {"from": "gpt", "value": listing},
                ],
                "provenance": provenance,
            }
        )
        return {"texts": 1, "mark_set_id": str(mark_set_id)}

    job.finish_item(item, effect)


def _marked(job: JobContext, item: Item) -> Marked:
    if item.payload["mark_set_id"] is not None:
        return stored_marks(job, UUID(item.payload["mark_set_id"]))
    return marked_image(job, UUID(item.payload["image_id"]), job.payload["settings"], job.payload["settings_sha256"])


def rule_listing(marked: Marked) -> str | None:
    """`1. name` per mark in mark order (SoM-LLaVA, section 5.2); None unless every mark has a name.

    A region's name is its text, else its role.
    """
    names = [(mark.id, (mark.text or mark.role or "").strip()) for mark in marked.marking.marks]
    if not names or not all(name for _, name in names):
        return None
    return "\n".join(f"{mark_id}. {name}" for mark_id, name in names)


def model_listing(backend: VlmBackend, marked: Marked, instruction: str) -> str | None:
    """Have the model list the marks until every mark is named exactly once; None when it never is.

    A second try asks in other words: at temperature 0 the same words give the same answer.
    """
    wanted = [mark.id for mark in marked.marking.marks]
    wordings = [instruction, *(template for template in LIST_TEMPLATES if template != instruction)]
    for wording in wordings[:TRIES]:
        result = ground(
            backend,
            GroundRequest(
                image=marked.pixels,
                overlay=marked.overlay,
                regions=marked.regions,
                marking=marked.marking,
                query=wording,
                task="list",
            ),
        )
        if wanted and sorted(item.mark for item in result.labels) == sorted(wanted) and not result.unresolved:
            return "\n".join(f"{item.mark}. {item.label}" for item in result.labels)
    return None
