"""How a request orders annotation, datasets, training and evaluation."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.http.schemas.images import Label, Strict
from app.http.schemas.marksets import MarksIn

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
TextKind = Literal["listing"]
Review = Literal["unreviewed", "accepted", "edited", "rejected"]


KeyScope = Literal["mark", "ground", "jobs", "admin"]


def _usual_scopes() -> list[KeyScope]:
    return ["mark", "ground", "jobs"]


def _usable() -> list[Review]:
    return ["unreviewed", "accepted", "edited"]


class ImagesIn(Strict):
    """Which images a job works on."""

    label: Label | None = None
    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=100_000)

    @model_validator(mode="after")
    def _one(self) -> "ImagesIn":
        if (self.label is None) == (self.ids is None):
            raise ValueError("give exactly one of `label` and `ids`")
        return self


class AnnotationIn(Strict):
    """`POST /v1/annotations`: write texts about marked images."""

    kind: TextKind = "listing"
    writer: Literal["rules", "vlm"] = "rules"
    images: ImagesIn
    mark_set_ids: list[UUID] | None = Field(default=None, max_length=100_000)
    marks: MarksIn | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    seed: int = 0


class DatasetIn(Strict):
    """`POST /v1/datasets`: freeze a mixture of texts."""

    name: Name
    kinds: list[TextKind] | None = None
    job_ids: list[UUID] | None = None
    reviews: list[Review] = Field(default_factory=_usable, min_length=1)
    limit: Annotated[int, Field(ge=1)] | None = None


class TrainingIn(Strict):
    """`POST /v1/trainings`: teach a model; a recipe that draws its own data needs no dataset."""

    name: Name = "som-llava"
    recipe: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,50}$")] = "finetune"
    dataset_id: UUID | None = None
    base: Annotated[str, Field(max_length=500)] = "som-llava-tiny"
    steps: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    budget_s: Annotated[float, Field(gt=0, le=2_592_000)] | None = None
    clock: Literal["wall", "cpu"] | None = None
    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    lora: bool = False
    seed: int = 0


class EvaluationIn(Strict):
    """`POST /v1/evaluations`: measure a model version."""

    benchmark: Literal["listing"] = "listing"
    dataset_id: UUID | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    n: Annotated[int, Field(ge=1, le=100_000)] = 100
    seed: int = 0


class ReviewIn(Strict):
    """`PATCH /v1/texts/{id}`: a person's verdict."""

    review: Literal["accepted", "edited", "rejected"]
    conversations: list[dict[str, Any]] | None = None

    @model_validator(mode="after")
    def _edit_has_words(self) -> "ReviewIn":
        if (self.review == "edited") != (self.conversations is not None):
            raise ValueError("`conversations` comes with `edited` and only with it")
        return self


class DeployIn(Strict):
    """`POST /v1/models/deploy`: which model version answers from now on."""

    model_version_id: UUID | None = Field(description="null returns to the built-in model")


class KeyIn(Strict):
    """`POST /v1/keys`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: list[KeyScope] = Field(default_factory=_usual_scopes, min_length=1)
    expires_in_s: Annotated[int, Field(ge=1)] | None = None
