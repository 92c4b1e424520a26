"""Order annotations, datasets, trainings and evaluations: the training half of the product."""

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.jobs import JobRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import DatasetRow, JobRow, TextRow
from app.catalog.texts import DatasetRepository, TextRepository
from app.errors import NotFound, Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import grounding, marking
from app.services.models import BUILT_IN

# Recipes that draw their own pictures need no dataset.
SELF_SUPPLIED_RECIPES = ("tiny-scratch",)
RECIPES = ("finetune", *SELF_SUPPLIED_RECIPES)


def annotate(
    session: Session, body: dict[str, Any], *, remote_model: str | None, idempotency_key: str | None
) -> JobRow:
    """Queue the writing of texts, one item per image; raises NotFound or Unprocessable."""
    image_ids = select_images(session, body["images"])
    settings = marking.canonical_settings(body.get("marks") or {})
    chosen = _mark_sets_by_image(session, body.get("mark_set_ids") or [])
    if body["writer"] == "vlm":
        grounding.check_model(session, body.get("model"), remote_model)
    payload = {
        "kind": body["kind"],
        "writer": body["writer"],
        "model": body.get("model"),
        "seed": body.get("seed", 0),
        "settings": settings,
        "settings_sha256": marking.settings_sha256(settings),
    }
    items = [{"image_id": str(image_id), "mark_set_id": chosen.get(image_id)} for image_id in image_ids]
    return enqueue(
        session,
        kind="annotation.create",
        queue=Queue.BATCH,
        payload=payload,
        items=items,
        idempotency_key=idempotency_key,
    )


def select_images(session: Session, selector: dict[str, Any]) -> list[UUID]:
    """Return the images that a job is to work on; raises NotFound when one or all are missing."""
    images = ImageRepository(session)
    if selector.get("label") is not None:
        found = images.ids_with_label(selector["label"])
        if not found:
            raise NotFound("No image carries this label.")
        return found
    if selector.get("import_") is not None:
        return _imported(session, UUID(str(selector["import_"])))
    wanted = [UUID(str(value)) for value in dict.fromkeys(selector["ids"])]
    missing = set(wanted) - images.existing_ids(wanted)
    if missing:
        raise NotFound(f"{len(missing)} of {len(wanted)} images do not exist, {min(map(str, missing))} among them.")
    return wanted


def _imported(session: Session, job_id: UUID) -> list[UUID]:
    jobs = JobRepository(session)
    if jobs.get(job_id).kind != "import.create":
        raise Unprocessable("The job named by `import` is not an import.")
    found = jobs.images_of_items(job_id)
    there = ImageRepository(session).existing_ids(found)
    if not there:
        raise NotFound("The import has brought no image yet, or its images were deleted.")
    return [image_id for image_id in found if image_id in there]


def _mark_sets_by_image(session: Session, ids: list[Any]) -> dict[UUID, str]:
    rows = [MarkSetRepository(session).get(UUID(str(value))) for value in ids]
    return {row.image_id: str(row.id) for row in rows}


def build_dataset(session: Session, body: dict[str, Any]) -> DatasetRow:
    """Freeze a mixture of texts under the next version of its name; raises Unprocessable when it would be empty."""
    texts = TextRepository(session).select_for_dataset(
        kinds=body.get("kinds"),
        job_ids=[UUID(str(value)) for value in body["job_ids"]] if body.get("job_ids") else None,
        reviews=body["reviews"],
        limit=body.get("limit"),
    )
    if not texts:
        raise Unprocessable("No text fits this recipe, so the dataset would be empty.")
    datasets = DatasetRepository(session)
    name = body["name"]
    row = DatasetRow(name=name, version=datasets.next_version(name), recipe=body, statistics=statistics(texts))
    return datasets.add(row, texts)


def statistics(texts: list[TextRow]) -> dict[str, Any]:
    """Count what a mixture holds."""
    turns = [turn for text in texts for turn in text.conversations]
    words = [len(str(turn["value"]).split()) for turn in turns if turn["from"] == "gpt"]
    return {
        "texts": len(texts),
        "images": len({text.image_id for text in texts}),
        "tagged": sum(text.tagged for text in texts),
        "by_kind": dict(Counter(text.kind for text in texts)),
        "by_review": dict(Counter(text.review for text in texts)),
        "answer_words": sum(words),
        "answer_words_mean": round(sum(words) / len(words), 2) if words else 0.0,
    }


def train(session: Session, body: dict[str, Any], *, idempotency_key: str | None) -> JobRow:
    """Queue a training; raises NotFound or Unprocessable."""
    recipe = body["recipe"]
    if recipe not in RECIPES:
        raise Unprocessable(f"There is no recipe `{recipe}`; known are {', '.join(RECIPES)}.")
    if recipe in SELF_SUPPLIED_RECIPES:
        if body.get("dataset_id") is not None:
            raise Unprocessable(f"The recipe `{recipe}` draws its own pictures and takes no dataset.")
    elif body.get("dataset_id") is None:
        raise Unprocessable(f"The recipe `{recipe}` needs a `dataset_id`.")
    else:
        DatasetRepository(session).get(UUID(str(body["dataset_id"])))
    if recipe not in SELF_SUPPLIED_RECIPES and body["base"] != BUILT_IN:
        _base_version(session, body["base"])
    return enqueue(
        session, kind="training.run", queue=Queue.TRAIN, payload={"training": body}, idempotency_key=idempotency_key
    )


def _base_version(session: Session, base: str) -> None:
    if ModelVersionRepository(session).find_by_name(base) is None:
        raise NotFound(f"There is no model `{base}` to start from; `{BUILT_IN}` is built in.")


def evaluate(
    session: Session, body: dict[str, Any], *, remote_model: str | None, idempotency_key: str | None
) -> JobRow:
    """Queue an evaluation; raises NotFound."""
    grounding.check_model(session, body.get("model"), remote_model)
    if body.get("dataset_id") is not None:
        DatasetRepository(session).get(UUID(str(body["dataset_id"])))
    return enqueue(
        session,
        kind="evaluation.run",
        queue=Queue.BATCH,
        payload={"evaluation": body},
        idempotency_key=idempotency_key,
    )
