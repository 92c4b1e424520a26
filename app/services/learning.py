"""Choose the images that a job is about, and order trainings."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.datasets import DatasetRepository
from app.catalog.images import ImageRepository
from app.catalog.jobs import JobRepository
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import JobRow
from app.errors import NotFound, Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services.models import BUILT_IN
from models.finder import RECIPE as FINDER
from models.training import recipes

FROM_NOTHING = ("tiny-scratch", "tiny-v2")
# Recipes that draw their own pictures need no dataset.
SELF_SUPPLIED_RECIPES = (*FROM_NOTHING, FINDER)
_OF_A_DATASET = ("lora_rank", "max_tokens", "precision", "gradient_checkpointing")
_NOT_OF_A_FINDER = ("budget_s", "clock", "batch_size", "learning_rate")
RECIPES = (*recipes.RECIPES, *SELF_SUPPLIED_RECIPES)


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


def train(session: Session, body: dict[str, Any], *, idempotency_key: str | None) -> JobRow:
    """Queue a training; raises NotFound or Unprocessable."""
    recipe = body["recipe"]
    if recipe not in RECIPES:
        raise Unprocessable(f"There is no recipe `{recipe}`; known are {', '.join(RECIPES)}.")
    if body.get("lora") and recipe != "finetune":
        raise Unprocessable(f"The recipe `{recipe}` says itself whether it trains with LoRA; `lora` is for `finetune`.")
    _check_settings(recipe, body)
    if recipe == FINDER and (given := [name for name in _NOT_OF_A_FINDER if body.get(name) is not None]):
        raise Unprocessable(f"The recipe `{FINDER}` is told its `steps` and its `seed`; leave out `{given[0]}`.")
    if recipe in SELF_SUPPLIED_RECIPES:
        if body.get("dataset_id") is not None:
            raise Unprocessable(f"The recipe `{recipe}` draws its own pictures and takes no dataset.")
    elif body.get("dataset_id") is None:
        raise Unprocessable(f"The recipe `{recipe}` needs a `dataset_id`.")
    else:
        DatasetRepository(session).get(UUID(str(body["dataset_id"])))
    if recipe not in FROM_NOTHING and body["base"] != BUILT_IN:
        _base_version(session, body["base"])
    return enqueue(
        session, kind="training.run", queue=Queue.TRAIN, payload={"training": body}, idempotency_key=idempotency_key
    )


def _check_settings(recipe: str, body: dict[str, Any]) -> None:
    given = [name for name in _OF_A_DATASET if body.get(name) is not None]
    if given and recipe in SELF_SUPPLIED_RECIPES:
        raise Unprocessable(f"The recipe `{recipe}` teaches in its own way; leave out `{given[0]}`.")
    adapts = recipe in recipes.RECIPES and (recipe == "finetune" or recipes.RECIPES[recipe].lora_rank)
    if body.get("lora_rank") is not None and not adapts:
        raise Unprocessable(
            f"The recipe `{recipe}` trains all weights; `lora_rank` is for `finetune` and LoRA recipes."
        )


def _base_version(session: Session, base: str) -> None:
    if ModelVersionRepository(session).find_by_name(base) is None:
        raise NotFound(f"There is no model `{base}` to start from; `{BUILT_IN}` is built in.")
