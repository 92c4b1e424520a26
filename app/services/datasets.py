"""Order a dataset: from the request to the whole recipe that a worker then carries out.

The job's payload holds the recipe as it was meant, so that what the dataset shows can be posted again. Knows no mixture
rules (`models.mixtures`) and does not build.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.tables import JobRow
from app.catalog.texts import TextRepository
from app.errors import Forbidden, Unprocessable
from app.formats.recipes import PartIn, RecipeIn, TextsIn, shipped_recipe
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services.import_folder import ImportFolder
from models.mixtures.recipe import Recipe

SMALL = 1_000
"""A build of so many texts of the catalog takes less than a second: it does not wait behind long annotations."""

Value = TypeVar("Value")


def order(
    session: Session,
    recipe: RecipeIn,
    *,
    name: str,
    folder: ImportFolder,
    may_read_files: bool,
    idempotency_key: str | None,
    kind: Literal["dataset.build", "dataset.preview"] = "dataset.build",
) -> JobRow:
    """Queue the build of a dataset, or a look at what it would be; raises Forbidden or Unprocessable for files that cannot be used."""
    value = recipe.value()
    for part in value.parts:
        if part.file is None:
            continue
        if not may_read_files:
            raise Forbidden("A recipe that names files of the server needs a key with the scope `admin`.")
        for named in (part.file.path, part.file.images, part.file.without):
            if named is not None:
                folder.find(named)
    return enqueue(
        session,
        kind=kind,
        queue=Queue.INTERACTIVE if is_small(session, value) else Queue.BATCH,
        payload={"name": name, "recipe": recipe.model_dump(mode="json")},
        idempotency_key=idempotency_key,
    )


def is_small(session: Session, recipe: Recipe) -> bool:
    """Whether a build is over before anybody would mind waiting for it."""
    selectors = [part.texts for part in recipe.parts if part.texts is not None]
    texts = TextRepository(session)
    return len(selectors) == len(recipe.parts) and not any(texts.more_than(each, SMALL) for each in selectors)


def selection(name: str) -> RecipeIn:
    """The recipe of a request that names none: all texts, in the order in which they were written."""
    part = PartIn(name="texts", texts=TextsIn())
    return RecipeIn(name=name, purpose="What the request selects.", parts=[part], shuffle=False)


def narrowed(
    recipe: RecipeIn | str | None,
    *,
    name: str,
    parts: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    job_ids: Sequence[UUID] | None = None,
    reviews: Sequence[str] | None = None,
    limit: int | None = None,
) -> RecipeIn:
    """Return the recipe with what the request says besides: fewer parts, and fewer texts in each part of the catalog.

    Raises RecipeError for an unknown name, Unprocessable where nothing would be left.
    """
    whole = shipped_recipe(recipe) if isinstance(recipe, str) else recipe or selection(name)
    if parts is not None:
        whole = _only(whole, parts)
    asked: dict[str, Sequence[str] | None] = {
        "kinds": kinds,
        "jobs": None if job_ids is None else [str(job) for job in job_ids],
        "reviews": reviews,
    }
    return whole.model_copy(update={"parts": [_narrowed(part, asked, limit) for part in whole.parts]})


def _narrowed(part: PartIn, asked: Mapping[str, Sequence[str] | None], limit: int | None) -> PartIn:
    """One part with what the request asks of texts, and at most `limit` samples; raises Unprocessable."""
    changes: dict[str, Any] = {}
    if part.texts is not None:
        own = part.texts.model_dump(include=set(asked))
        fields = {name: _both(own[name], asked[name], f"{name[:-1]} of the part `{part.name}`") for name in asked}
        changes["texts"] = part.texts.model_copy(update=fields)
    if limit is not None:
        changes["take"] = min(limit, part.take or limit)
    return part.model_copy(update=changes)


def _only(recipe: RecipeIn, names: Sequence[str]) -> RecipeIn:
    known = [part.name for part in recipe.parts]
    if unknown := sorted(set(names).difference(known)):
        raise Unprocessable(f"The recipe has no part `{unknown[0]}`; parts are {', '.join(known)}.")
    stages = [
        stage.model_copy(update={"parts": left})
        for stage in recipe.stages
        if (left := [name for name in stage.parts if name in names])
    ]
    parts = [part for part in recipe.parts if part.name in names]
    return recipe.model_copy(update={"parts": parts, "stages": stages})


def _both(own: Sequence[Value], asked: Sequence[Value] | None, what: str) -> list[Value]:
    """What both say; an empty list of the recipe's own asks nothing."""
    if asked is None:
        return list(own)
    left = [value for value in asked if not own or value in own]
    if not left:
        raise Unprocessable(f"No {what} is left: the recipe and the request exclude each other.")
    return left
