"""How a request asks a question about a marked image."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.http.schemas.images import ImageRef, Strict
from app.http.schemas.marksets import MarksIn
from models.grounding import NEED_NO_QUERY

Task = Literal["ask", "list", "refer", "classify", "phrases", "correspond", "act"]
Query = Annotated[str, Field(max_length=10_000)]


class GroundIn(Strict):
    """`POST /v1/ground`; with multipart the picture is the part `file`."""

    image: ImageRef | None = None
    mark_set_id: UUID | None = None
    query: Query | None = None
    queries: list[Query] | None = Field(default=None, min_length=1, max_length=64)
    task: Task = "ask"
    choices: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(default=None, max_length=1000)
    target_mark_set_id: UUID | None = None
    expect_image_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    tags: bool = True
    constrain: bool = True
    stream: bool = False
    deadline_ms: Annotated[int, Field(ge=1, le=600_000)] | None = None
    marks: MarksIn | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "GroundIn":
        if self.image is not None and self.mark_set_id is not None:
            raise ValueError("give `image` or `mark_set_id`, not both")
        if self.query is not None and self.queries is not None:
            raise ValueError("give `query` or `queries`, not both")
        if self.mark_set_id is not None and self.marks is not None:
            raise ValueError("`marks` says how to mark an image; a `mark_set_id` is marked already")
        if self.task not in NEED_NO_QUERY:
            if self.queries is None and not (self.query or "").strip():
                raise ValueError("give a `query`")
            # Answers come in the order of `queries`: none is left out in silence.
            blank = next((number for number, query in enumerate(self.queries or ()) if not query.strip()), None)
            if blank is not None:
                raise ValueError(f"`queries` has nothing but blanks at place {blank}, counted from 0")
        if self.task == "classify" and not self.choices:
            raise ValueError("`classify` needs `choices`, the names to choose from")
        if (self.task == "correspond") != (self.target_mark_set_id is not None):
            raise ValueError("`correspond` needs a `target_mark_set_id`, and nothing else takes one")
        if self.choices and self.task not in ("classify", "phrases"):
            raise ValueError("`choices` belong to `classify` and `phrases`; marks are chosen by `refer`")
        return self
