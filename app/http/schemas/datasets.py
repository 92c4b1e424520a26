"""How a request orders a dataset, and what a person says about a text."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Discriminator, Field, Tag, model_validator

from app.formats.recipes import Name, RecipeIn, Review
from app.http.schemas.free_form import NotTooDeep
from app.http.schemas.images import Strict
from models.writers.types import TextKind


def _form_of(recipe: object) -> str:
    return "(name)" if isinstance(recipe, str) else "(object)"


class DatasetIn(Strict):
    """`POST /v1/datasets`: freeze a mixture of texts.

    `recipe` is the name of one that ships, or a recipe itself; without it all texts are taken. The other fields narrow what
    every part of the recipe takes from the catalog; `limit` is the most that each part gives.
    """

    name: Name
    recipe: (
        Annotated[Annotated[Name, Tag("(name)")] | Annotated[RecipeIn, Tag("(object)")], Discriminator(_form_of)] | None
    ) = None
    parts: list[Name] | None = Field(default=None, min_length=1, description="only these parts of the recipe")
    kinds: list[TextKind] | None = Field(default=None, min_length=1)
    job_ids: list[UUID] | None = Field(default=None, min_length=1)
    reviews: list[Review] | None = Field(default=None, min_length=1)
    limit: Annotated[int, Field(ge=1)] | None = None


class ReviewIn(Strict):
    """`PATCH /v1/texts/{id}`: a person's verdict. With `revision`, 409 where somebody else was faster."""

    review: Literal["accepted", "edited", "rejected"]
    conversations: Annotated[list[dict[str, Any]] | None, NotTooDeep] = Field(default=None, max_length=200)
    reason: Literal["source_error", "imprecise", "wrong"] | None = None
    reviewer: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    revision: Annotated[int, Field(ge=0)] | None = Field(default=None, description="the revision that was looked at")

    @model_validator(mode="after")
    def _edit_has_words(self) -> "ReviewIn":
        if (self.review == "edited") != (self.conversations is not None):
            raise ValueError("`conversations` comes with `edited` and only with it")
        return self
