"""How a request asks where a model looks."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.http.schemas.images import Strict

Numbers = Annotated[list[Annotated[int, Field(ge=0, le=1000)]], Field(min_length=1, max_length=200)]


class LookIn(Strict):
    """`POST /v1/looks`: where a model looks in a marked picture; the mean of all layers and heads unless some are named."""

    mark_set_id: UUID
    query: Annotated[str, Field(min_length=1, max_length=2000)]
    answer: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    words: Literal["query", "answer", "writing"] = Field(
        default="query", description="`writing`: while it decides on the words of `answer`, not as it reads them"
    )
    only: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="only the words that hold this, such as the number of a mark"
    )
    tags: bool = Field(default=True, description="whether the marks are painted on what it sees")
    layers: Numbers | None = None
    heads: Numbers | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _answered(self) -> "LookIn":
        if (self.words == "query") != (self.answer is None):
            raise ValueError("`answer` comes with the words `answer` and `writing`, and only with them")
        return self
