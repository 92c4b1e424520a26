"""How a request orders texts: which writer, about which images, by which teacher, and what it may spend."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator

from app.http.schemas.images import Strict
from app.http.schemas.learning import ImagesIn
from app.http.schemas.marksets import MarksIn

Short = Annotated[str, Field(min_length=1, max_length=50)]


class ChosenImagesIn(ImagesIn):
    """Which images texts are written about. `job_ids` come first; `others` are drawn from the rest by the order's seed."""

    job_ids: list[UUID] | None = Field(
        default=None, min_length=1, max_length=100, description="the images that these annotation jobs wrote about"
    )
    others: int | None = Field(
        default=None, ge=1, le=1_000_000, description="with `job_ids`: so many of the selected images besides"
    )
    limit: int | None = Field(default=None, ge=1, le=1_000_000, description="at most so many, drawn by the seed")

    @model_validator(mode="after")
    def _one(self) -> "ChosenImagesIn":
        given = sum(value is not None for value in (self.label, self.ids, self.import_))
        if given > 1 or (not given and self.job_ids is None):
            raise ValueError("give exactly one of `label`, `ids` and `import`, or `job_ids`")
        if self.job_ids is None and self.others is not None:
            raise ValueError("`others` comes with `job_ids`: images besides those")
        if self.job_ids is not None and (self.others is not None) != bool(given):
            raise ValueError("besides `job_ids`, `others` says how many of `label`, `ids` or `import` to add")
        return self


class TeacherIn(Strict):
    """How the teacher is asked."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    timeout_s: Annotated[float, Field(gt=0, le=3600)] | None = Field(
        default=None, description="the longest that one answer may take; never longer than MARKWISE_VLM_TIMEOUT_S"
    )


class BudgetIn(Strict):
    """The most that the job may spend; it then stops, and a retry grants the same again."""

    tokens: Annotated[int, Field(ge=1)] | None = None
    cost: Annotated[float, Field(gt=0)] | None = Field(default=None, description="in the currency of `prices`")

    @model_validator(mode="after")
    def _some(self) -> "BudgetIn":
        if self.tokens is None and self.cost is None:
            raise ValueError("give `tokens`, `cost` or both")
        return self


class PricesIn(Strict):
    """What a million tokens cost."""

    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]


class AnnotationIn(Strict):
    """`POST /v1/annotations`: write texts about images; `GET /v1/writers` lists kinds, writers, modes and options."""

    kind: Short = "listing"
    writer: Short = "rules"
    mode: Short | None = None
    images: ChosenImagesIn
    mark_set_ids: list[UUID] | None = Field(default=None, max_length=100_000)
    marks: MarksIn | None = None
    sources: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(
        default=None,
        max_length=20,
        description="imports whose facts count; for marks: what they outline is marked and named. [] means all; with"
        " `images.import` alone it is that import, if it outlines anything",
    )
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    teacher: TeacherIn | None = None
    examples: list[UUID] | None = Field(
        default=None, description="for two-shot: accepted listings; without them two are picked by the seed"
    )
    options: dict[Short, Any] = Field(default_factory=dict, max_length=20)
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="questions to the teacher at once, over all workers; by default 8 per worker"
    )
    budget: BudgetIn | None = None
    prices: PricesIn | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
