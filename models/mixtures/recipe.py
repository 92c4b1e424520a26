"""What a mixture is made of, as values: parts that select, rules that thin them out, stages that order them.

`app.formats.recipes` reads recipes from YAML and JSON, `plan` carries them out. The rules of a part apply in the order of
its fields. Defaults are the papers' numbers where they give any.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from models.mixtures.coreset import KEPT_SHARE, PER_KIND
from models.mixtures.draws import HELD_OUT_SHARE
from models.mixtures.noun_phrases import CAP, SKIP_BELOW


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSelector:
    """Which texts of the catalog; a field that is empty asks nothing. `provenance` must be contained in the text's own.

    `outdated` says what becomes of texts whose marks a person has corrected since: left out unless they still fit, or kept
    with the marks that they were written about.
    """

    kinds: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ("unreviewed", "accepted", "edited")
    tagged: bool | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    outdated: Literal["exclude", "keep"] = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelector:
    """A LLaVA JSON file, and the folder of its pictures if exports are to bring them; all under the operator's folder.

    Records that say the same as one of the file `without` are left out, wherever their pictures lie.
    """

    path: str
    images: str | None = None
    without: str | None = None
    kind: str = "conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseRule:
    """The noun-phrase caps of image captions."""

    skip_below: int = SKIP_BELOW
    cap: int = CAP


@dataclass(frozen=True, slots=True, kw_only=True)
class CoresetRule:
    """The share that is kept for its concepts, and how many of each kind are then drawn (None: all)."""

    keep: float = KEPT_SHARE
    per_kind: int | None = PER_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where samples come from and what thins them out. A part without samples ends the build unless it is `optional`.

    With `hold_out` false the recipe's split does not concern it.
    """

    name: str
    texts: TextSelector | None = None
    file: FileSelector | None = None
    noun_phrases: PhraseRule | None = None
    coreset: CoresetRule | None = None
    yes_per_no: float | None = None
    take: int | None = None
    hold_out: bool = True
    repeat: int = 1
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Parts that are shuffled together; stages follow one another. A part may stand in several."""

    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """Pictures kept for testing, and which of the two splits this mixture is."""

    share: float = HELD_OUT_SHARE
    split: Literal["train", "test"] = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole mixture. Without `stages` all parts are one; `text_only_share` is the most that samples without picture may be."""

    name: str
    purpose: str
    parts: tuple[Part, ...]
    seed: int = 0
    shuffle: bool = True
    hold_out: HoldOut | None = None
    text_only_share: float | None = None
    stages: tuple[Stage, ...] = ()

    def order(self) -> tuple[Stage, ...]:
        """Return the stages, one of all parts where none are given."""
        return self.stages or (Stage(name="all", parts=tuple(part.name for part in self.parts)),)
