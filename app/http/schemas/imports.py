"""How a request orders an import."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.http.schemas.images import Label, Strict

ServerPath = Annotated[str, Field(min_length=1, max_length=1000)]
SourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class ImportIn(Strict):
    """`POST /v1/imports`: read published annotation files; with multipart the file is the part `file`.

    `files` and `images` are names inside the server's folder of imports. Without `images`, pictures come from the URLs
    that the files state. Records are known by `source` and their own ids: importing them again adds nothing.
    """

    format: Literal["coco"]
    files: list[ServerPath] = Field(default_factory=list, max_length=1000)
    images: ServerPath | None = None
    source: SourceName | None = Field(
        default=None, description="default: the name of the format; also a label of every image"
    )
    labels: list[Label] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _folder_of_its_own(self) -> "ImportIn":
        if len(set(self.files)) != len(self.files):
            raise ValueError("`files` names a file twice")
        return self
