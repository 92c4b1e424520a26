"""How a request names an image."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_FIELDS = 100


class Strict(BaseModel):
    """A body in which an unknown field is an error, so that a typo never passes in silence."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _not_crowded(cls, value: Any) -> Any:
        # Each unknown field is a finding of its own: a hundred thousand of them kept the event loop busy for a second.
        if isinstance(value, dict) and len(value) > MOST_FIELDS:
            raise ValueError(f"an object here has at most {MOST_FIELDS} fields")
        return value


class ImageById(Strict):
    """An image that the catalog has."""

    type: Literal["id"]
    id: UUID


class ImageByUrl(Strict):
    """An image that the service fetches."""

    type: Literal["url"]
    url: str = Field(min_length=1, max_length=8192)


class ImageByBase64(Strict):
    """An image inside the request."""

    type: Literal["base64"]
    data: str = Field(max_length=28_000_000)


ImageRef = Annotated[ImageById | ImageByUrl | ImageByBase64, Field(discriminator="type")]

Label = Annotated[str, Field(min_length=1, max_length=200)]


class ImageIn(Strict):
    """`POST /v1/images`; with multipart the picture is the part `file`."""

    image: ImageRef | None = None
    labels: list[Label] = Field(default_factory=list, max_length=50)


class DeletedIn(Strict):
    """`POST /v1/images/delete`: images that are to go."""

    ids: list[UUID] = Field(min_length=1, max_length=100)
