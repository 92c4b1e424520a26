"""Order texts: check that writer, mode, teacher and images fit together, then queue one item per image."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.jobs import JobRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.tables import JobRow
from app.catalog.writings import WritingRepository
from app.errors import NotFound, Unprocessable
from app.formats.annotation_bodies import AnnotationBody, WriterBody, annotation_body, writer_body
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import grounding, marking
from app.services.learning import select_images
from app.services.models import BUILT_IN
from models.errors import BadInput
from models.sources.formats import FORMATS
from models.writers.registry import WRITERS, Entry, check_order

EXAMPLES = 2
_TEACHING = ("model", "teacher", "budget", "prices", "concurrency", "examples")


def annotate(
    session: Session,
    body: dict[str, Any],
    *,
    remote_model: str | None,
    idempotency_key: str | None,
    teachers: Collection[str] = (),
) -> JobRow:
    """Queue the writing of texts, one item per image; raises NotFound or Unprocessable.

    `teachers` are the names of MARKWISE_TEACHERS, which write but answer no questions.
    """
    entry = _checked(body)
    if entry.taught != "never" and body["model"] not in teachers:
        grounding.check_model(session, body["model"], remote_model)
        _check_small(entry, body, remote_model)
    settings = marking.canonical_settings(body["marks"] or {})
    body = body | {"sources": _sources(session, entry, body)}
    image_ids, known_sets = _select(session, body)
    payload = {
        "kind": body["kind"],
        "writer": body["writer"],
        "mode": body["mode"],
        "model": body["model"],
        "seed": body["seed"],
        "tries": body["tries"],
        "options": body["options"],
        "examples": _examples(session, body),
        "teacher": body["teacher"],
        "concurrency": body["concurrency"],
        "budget": body["budget"],
        "prices": body["prices"],
        "sources": body["sources"],
        "settings": settings,
        "settings_sha256": marking.settings_sha256(settings),
    }
    items = [{"image_id": str(image_id), "mark_set_id": known_sets.get(image_id)} for image_id in image_ids]
    return enqueue(
        session,
        kind="annotation.create",
        queue=Queue.BATCH,
        payload=payload,
        items=items,
        idempotency_key=idempotency_key,
    )


def writers() -> list[WriterBody]:
    """Every writer with its kind, modes and options, in the order of the registry."""
    return [writer_body(kind, name, entry) for (kind, name), entry in WRITERS.items()]


def report(session: Session, job_id: UUID) -> AnnotationBody:
    """How the texts of a job came to be, one entry per writer, mode, prompt and teacher; raises NotFound."""
    job = JobRepository(session).get(job_id)
    if job.kind != "annotation.create":
        raise NotFound("There is no annotation with this id.")
    return annotation_body(job, WritingRepository(session).tries(job_id))


def _checked(body: dict[str, Any]) -> Entry:
    """Return the writer's entry; raises Unprocessable for parts of an order that do not go together."""
    try:
        entry = check_order(body["kind"], body["writer"], mode=body["mode"], options=body["options"])
    except BadInput as exc:
        raise Unprocessable(_sentence(str(exc))) from None
    named = f"The writer `{body['writer']}` of {body['kind']} texts"
    if entry.taught == "never" and (given := [name for name in _TEACHING if body[name] is not None]):
        raise Unprocessable(f"{named} asks no teacher; leave out `{given[0]}`.")
    if entry.about == "facts" and (given := [name for name in ("mark_set_ids", "marks") if body[name] is not None]):
        raise Unprocessable(f"{named} writes about imported facts, not about marks; leave out `{given[0]}`.")
    if body["sources"] is not None and body["mark_set_ids"] is not None:
        raise Unprocessable("Marks come from `sources` or from `mark_set_ids`, not from both.")
    if (body["budget"] or {}).get("cost") is not None and body["prices"] is None:
        raise Unprocessable("A budget in `cost` needs `prices` per million tokens.")
    if body["examples"] is not None and body["mode"] != "two-shot":
        raise Unprocessable("`examples` belong to the mode `two-shot`.")
    return entry


def _sources(session: Session, entry: Entry, body: dict[str, Any]) -> list[str] | None:
    """Whose facts count: those of an import that outlined its images, unless the order says where marks come from."""
    chosen = body["images"]
    told = [body["sources"], body["marks"], body["mark_set_ids"], chosen["job_ids"]]
    sources: list[str] | None = body["sources"]
    if entry.about == "marks" and chosen["import_"] is not None and told == [None] * len(told):
        order = JobRepository(session).get(UUID(chosen["import_"])).payload
        found = FORMATS.get(order.get("format", ""))
        sources = [order["source"]] if found is not None and found.outlines else None
    return sources


def _check_small(entry: Entry, body: dict[str, Any], remote_model: str | None) -> None:
    """Refuse what our own small model was never taught, where it is surely the one that is meant."""
    if body["model"] != BUILT_IN and not (body["model"] is None and remote_model == BUILT_IN):
        return
    if entry.taught == "by text":
        raise Unprocessable(f"`{BUILT_IN}` answers short questions about marks; this writer needs a large model.")
    if body["mode"] not in (None, "zero-shot"):
        raise Unprocessable(f"`{BUILT_IN}` was taught single questions; it lists in the mode `zero-shot` only.")


def _select(session: Session, body: dict[str, Any]) -> tuple[list[UUID], dict[UUID, str]]:
    """Return the images of an order, and the mark sets that are known for them."""
    chosen, seed = body["images"], body["seed"]
    known_sets = _mark_sets_by_image(session, [UUID(value) for value in body["mark_set_ids"] or ()])
    images: list[UUID] = []
    if chosen["job_ids"] is not None:
        written = WritingRepository(session).subjects([UUID(value) for value in chosen["job_ids"]])
        if not written:
            raise NotFound("These jobs have written no texts.")
        images = list(written)
        if body["marks"] is None and body["sources"] is None:
            marked = {image_id: str(set_id) for image_id, set_id in written.items() if set_id is not None}
            known_sets = marked | known_sets
    if chosen["job_ids"] is None or chosen["others"] is not None:
        taken = set(images)
        rest = [image_id for image_id in select_images(session, chosen) if image_id not in taken]
        images += rest if chosen["others"] is None else drawn(rest, chosen["others"], seed)
    return (images if chosen["limit"] is None else drawn(images, chosen["limit"], seed)), known_sets


def drawn(ids: Sequence[UUID], count: int, seed: int) -> list[UUID]:
    """Return `count` of `ids`, drawn by the seed, in their old order; the same seed draws the same of the same images."""
    ranked = sorted(ids, key=lambda image_id: hashlib.sha256(f"{seed}:{image_id}".encode()).digest())
    chosen = set(ranked[:count])
    return [image_id for image_id in ids if image_id in chosen]


def _mark_sets_by_image(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    image_of = MarkSetRepository(session).images_of(ids) if ids else {}
    if len(image_of) < len(set(ids)):
        raise NotFound("One of `mark_set_ids` does not exist.")
    return {image_of[mark_set_id]: str(mark_set_id) for mark_set_id in ids}


def _examples(session: Session, body: dict[str, Any]) -> list[str] | None:
    """The ids of two listings that people accepted, as the order names them or picked by its seed."""
    if body["mode"] != "two-shot":
        return None
    writings = WritingRepository(session)
    wanted = None if body["examples"] is None else [UUID(value) for value in body["examples"]]
    found = writings.accepted_listings(wanted, seed=body["seed"], limit=EXAMPLES)
    if len(found) < EXAMPLES or (wanted is not None and len(wanted) != EXAMPLES):
        raise Unprocessable(
            f"The mode `two-shot` needs {EXAMPLES} listings of marked images that a person accepted or edited; there are"
            f" {len(found)}. Review listings with `PATCH /v1/texts/ID`, or name two in `examples`."
        )
    return [str(text_id) for text_id in found]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
