"""Recipes of mixtures as YAML and JSON: the strict shape, the recipes that ship, and errors that name file, line and key.

A request body and a file are held to the same shape; `models.mixtures.recipe` is what it becomes. Knows no catalog.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.errors import Unprocessable
from models.mixtures import recipe as values
from models.mixtures.coreset import KEPT_SHARE, PER_KIND
from models.mixtures.draws import HELD_OUT_SHARE
from models.mixtures.noun_phrases import CAP, SKIP_BELOW
from models.writers.types import TextKind

SHIPPED = Path(values.__file__).with_name("recipes")
MOST = 100_000_000

Review = Literal["unreviewed", "accepted", "edited", "rejected"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Listed = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=1000)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1, le=MOST)]


class RecipeError(Unprocessable):
    """The recipe does not have the agreed shape"""

    code = "recipe.shape"


class _Strict(BaseModel):
    """A typo is an error, never an option that is passed over; `"3"` is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TextsIn(_Strict):
    """Which texts of the catalog a part takes; what is left out asks nothing."""

    kinds: list[TextKind] = []
    writers: Listed = []
    jobs: Listed = Field(default=[], description="jobs that wrote the texts, or imported their pictures")
    labels: Listed = []
    sources: Listed = Field(default=[], description="annotation sources that know the picture")
    reviews: Annotated[list[Review], Field(min_length=1)] = ["unreviewed", "accepted", "edited"]
    tagged: bool | None = None
    provenance: dict[str, Any] = {}
    outdated: Literal["exclude", "keep"] = "exclude"


class NounPhrasesIn(_Strict):
    """Caps for captions by their noun phrases."""

    skip_below: Count = SKIP_BELOW
    cap: Count = CAP


class CoresetIn(_Strict):
    """The share kept for its concepts, then as many of each kind."""

    keep: Share = KEPT_SHARE
    per_kind: Count | None = PER_KIND


class PartIn(_Strict):
    """Either `texts` or `file`, and the rules that thin it out."""

    name: Name
    texts: TextsIn | None = None
    file: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    images: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    without: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="another LLaVA file, whose records are left out of `file`"
    )
    kind: TextKind | None = Field(default=None, description="what the samples of a file are (conversation)")
    noun_phrases: NounPhrasesIn | None = None
    coreset: CoresetIn | None = None
    yes_per_no: Annotated[float, Field(gt=0, le=1000, strict=False)] | None = None
    take: Count | None = None
    hold_out: bool = Field(default=True, description="whether the recipe's `hold_out` concerns this part")
    repeat: Annotated[int, Field(ge=1, le=100)] = 1
    optional: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.texts is None) == (self.file is None):
            raise ValueError("a part has either `texts` or `file`")
        if self.file is None and (self.images or self.kind or self.without):
            raise ValueError("`images`, `kind` and `without` go with `file`")
        return self

    def value(self) -> values.Part:
        """The part as a value."""
        phrases, coreset = self.noun_phrases, self.coreset
        return values.Part(
            name=self.name,
            texts=None if self.texts is None else values.TextSelector(**_tuples(self.texts.model_dump())),
            file=None
            if self.file is None
            else values.FileSelector(
                path=self.file, images=self.images, without=self.without, kind=self.kind or "conversation"
            ),
            noun_phrases=None if phrases is None else values.PhraseRule(**phrases.model_dump()),
            coreset=None if coreset is None else values.CoresetRule(**coreset.model_dump()),
            **self.model_dump(include={"yes_per_no", "take", "hold_out", "repeat", "optional"}),
        )


class StageIn(_Strict):
    """Parts that are shuffled together."""

    name: Name
    parts: Annotated[list[str], Field(min_length=1)]


class HoldOutIn(_Strict):
    """The share of pictures that is kept for testing, and which split is wanted."""

    share: Share = HELD_OUT_SHARE
    split: Literal["train", "test"] = "train"


class RecipeIn(_Strict):
    """A mixture."""

    name: Name
    purpose: Annotated[str, Field(min_length=1, max_length=300)]
    parts: Annotated[list[PartIn], Field(min_length=1, max_length=100)]
    seed: int = 0
    shuffle: bool = True
    hold_out: HoldOutIn | None = None
    text_only_share: Annotated[float, Field(ge=0, le=1, strict=False)] | None = None
    stages: Annotated[list[StageIn], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [part.name for part in self.parts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two parts are called {twice[0]!r}")
        staged = {name for stage in self.stages for name in stage.parts}
        if unknown := sorted(staged.difference(names)):
            raise ValueError(f"a stage names the part {unknown[0]!r}; parts are {', '.join(names)}")
        if self.stages and (left := sorted(set(names) - staged)):
            raise ValueError(f"the part {left[0]!r} stands in no stage")
        return self

    def value(self) -> values.Recipe:
        """The recipe as a value."""
        return values.Recipe(
            parts=tuple(part.value() for part in self.parts),
            stages=tuple(values.Stage(name=stage.name, parts=tuple(stage.parts)) for stage in self.stages),
            hold_out=None if self.hold_out is None else values.HoldOut(**self.hold_out.model_dump()),
            **self.model_dump(include={"name", "purpose", "seed", "shuffle", "text_only_share"}),
        )


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def shipped() -> list[str]:
    """Return the names of the recipes in the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def shipped_recipe(name: str) -> RecipeIn:
    """Return a recipe of the package; raises RecipeError that lists them."""
    return read_recipe(shipped_text(name), f"{name}.yaml")


def shipped_text(name: str) -> str:
    """Return the YAML of a recipe of the package, with its comments; raises RecipeError that lists them."""
    known = shipped()
    if name not in known:
        raise RecipeError(f"There is no recipe `{name}`; known are {', '.join(known)}. Or send a recipe as an object.")
    return (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")


def read_recipe(text: str, file: str) -> RecipeIn:
    """Read a recipe from YAML; raises RecipeError with `file`, line, key and what is allowed there."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise RecipeError(f"{file}, line {line}: this is not YAML.") from None
    except yaml.YAMLError:
        raise RecipeError(f"{file}: this is not YAML.") from None
    if not isinstance(document, dict) or root is None:
        raise RecipeError(f"{file}: a recipe is a mapping with {', '.join(RecipeIn.model_fields)}.")
    if twice := _twice(root):
        raise RecipeError(f"{file}, line {twice[1]}: the key `{twice[0]}` stands twice.")
    try:
        return RecipeIn.model_validate(document)
    except ValidationError as error:
        found = [f"{file}, line {_line(root, each['loc'])}: {_sentence(each)}" for each in error.errors()[:5]]
        raise RecipeError(" ".join(found)) from None


def _sentence(error: Any) -> str:
    """One finding of pydantic in our words, with what is allowed."""
    place = _path(error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return f"`{place}` is no key here; known are {', '.join(_known(error['loc']))}."
        case "missing":
            return f"`{place}` is missing."
        case "value_error":
            said = str(error["msg"]).removeprefix("Value error, ")
            return f"`{place}`: {said}." if place else f"{said}."
        case "literal_error":
            return f"`{place}` must be one of {error['ctx']['expected']}."
    return f"`{place}`: {error['msg'][0].lower()}{error['msg'][1:]}."


def _path(loc: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


_NESTED: dict[str, type[BaseModel]] = {
    "parts": PartIn,
    "stages": StageIn,
    "hold_out": HoldOutIn,
    "texts": TextsIn,
    "noun_phrases": NounPhrasesIn,
    "coreset": CoresetIn,
}


def _known(loc: Sequence[str | int]) -> list[str]:
    """The keys that are allowed beside the last one of `loc`."""
    model: type[BaseModel] = RecipeIn
    for part in loc[:-1]:
        model = _NESTED.get(str(part), model)
    return list(model.model_fields)


def _line(node: yaml.Node, loc: Sequence[str | int]) -> int:
    """The line of the innermost part of `loc` that stands in the file, from 1."""
    line = node.start_mark.line + 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == part), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _twice(node: yaml.Node) -> tuple[str, int] | None:
    """A key that stands twice in one mapping, of which YAML would silently keep the last, and its line."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                return str(key.value), key.start_mark.line + 1
            seen.add(key.value)
            if found := _twice(value):
                return found
    if isinstance(node, yaml.SequenceNode):
        return next((found for each in node.value if (found := _twice(each))), None)
    return None
