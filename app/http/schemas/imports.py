"""How a request orders an import."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.http.schemas.images import Label, Strict
from models.sources.cleaning import Cleaning, mmgic

FormatName = Literal["coco", "visual-genome", "open-images", "objects365", "v3det", "llava", "folder", "urls"]
ServerPath = Annotated[str, Field(min_length=1, max_length=1000)]
SourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Ratio = Annotated[float, Field(ge=0, le=1000)]


class CleanIn(Strict):
    """What is left out. `rules` is where to start from; a field that is given replaces that rule, 0 or false switches it off."""

    rules: Literal["none", "mmgic"] = "none"
    illegal_boxes: bool | None = Field(default=None, description="drop boxes without area or outside the picture")
    min_short_edge_px: Count | None = None
    aspect_ratio_min: Ratio | None = Field(default=None, description="width / height")
    aspect_ratio_max: Ratio | None = None
    min_objects: Count | None = None
    min_label_count: Count | None = Field(default=None, description="labels that the source has fewer times go")
    synsets: bool | None = Field(default=None, description="one sense per object, told apart in the label")
    min_pair_count: Count | None = Field(default=None, description="as min_label_count, for (label, synset)")
    min_attribute_count: Count | None = None
    min_predicate_count: Count | None = None
    left_out_labels: list[str] | None = Field(default=None, max_length=100_000)
    left_out_records: list[str] | None = Field(
        default=None, max_length=1_000_000, description="by the source's own ids, or as coco:ID or flickr:ID"
    )
    senses: dict[str, str] | None = Field(default=None, description="words for synsets, such as batter.n.01")

    def cleaning(self, format_name: str) -> Cleaning:
        """The rules that this comes to for a format."""
        start = mmgic(format_name) if self.rules == "mmgic" else Cleaning()
        given: dict[str, Any] = self.model_dump(exclude={"rules"}, exclude_none=True)
        return Cleaning.from_json({**start.to_json(), **given})


class ImportIn(Strict):
    """`POST /v1/imports`: read published annotation files; with multipart the file is the part `file`.

    `files` and `images` are names inside the server's folder of imports. Without `images`, pictures come from the URLs
    that the files state. Records are known by `source` and their own ids: importing them again adds nothing.
    """

    format: FormatName
    files: list[ServerPath] = Field(default_factory=list, max_length=1000)
    images: ServerPath | None = None
    source: SourceName | None = Field(
        default=None, description="default: the name of the format; also a label of every image"
    )
    labels: list[Label] = Field(default_factory=list, max_length=50)
    clean: CleanIn = Field(default_factory=CleanIn)

    @model_validator(mode="after")
    def _each_once(self) -> "ImportIn":
        if len(set(self.files)) != len(self.files):
            raise ValueError("`files` names a file twice")
        return self

    def order(self) -> dict[str, Any]:
        """The order as plain values, with the cleaning spelt out."""
        body = self.model_dump(mode="json", exclude={"clean"})
        return body | {"cleaning": self.clean.cleaning(self.format).to_json()}
