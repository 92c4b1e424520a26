"""How a search for tagged pictures is ordered: which finder, which images."""

from typing import Annotated

from pydantic import Field

from app.http.schemas.images import Label, Strict
from app.http.schemas.learning import ImagesIn


class FindingIn(Strict):
    """`POST /v1/findings`: rank images by how surely marks are painted on them."""

    finder: Annotated[str, Field(min_length=1, max_length=200, description="a model version of kind `finder`")]
    images: ImagesIn
    tagged_label: Label | None = Field(
        default=None, description="images with this label are known to be tagged: the job tells precision at k"
    )
