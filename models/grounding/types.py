"""What grounding is asked and what it answers; the workers turn these into the bodies of the HTTP contract.

Values only: no model is called here and nothing is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.marks import LookAlike, Mark, Marking, MarkStyle
from models.regions import Regions
from models.vlm.parse import Mention
from models.vlm.types import FinishReason

Task = Literal["ask", "list", "refer", "classify", "phrases", "correspond", "act"]
Decide = Literal["both", "ranker", "model"]
DecidedBy = Literal["model", "text", "position", "accessibility"]
ActionType = Literal["click", "type", "select"]
Role = Literal["user", "assistant"]

TASKS: tuple[Task, ...] = ("ask", "list", "refer", "classify", "phrases", "correspond", "act")
NEED_NO_QUERY: tuple[Task, ...] = ("list", "classify", "correspond")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One earlier turn of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A line of text on the picture, in its pixels; it may have no mark, and yet tell which mark is meant."""

    text: str
    bbox_xyxy_px: tuple[float, float, float, float]


Captions = Callable[[], Sequence[Caption]]
"""Reads all lines of a picture, which takes time: asked only where the marks alone leave open what is meant."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkedPicture:
    """A picture with its regions and their marks; `overlay` is the same picture painted, or None to paint it when needed.

    `device_pixel_ratio` is the picture's pixels per CSS pixel, 1 where nobody said. `from_tree` are the ids of the marks that an
    accessibility tree stated. `lookalikes` are painted things on the clean picture that look like marks.
    """

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    regions: Regions
    marking: Marking
    overlay: NDArray[np.uint8] | None = None
    device_pixel_ratio: float = 1.0
    from_tree: frozenset[str] = frozenset()
    lookalikes: tuple[LookAlike, ...] = ()
    captions: Captions | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundRequest:
    """One question about one marked picture.

    `image` is the clean picture, (H, W, 3) uint8 RGB; `overlay` the same one painted with `marking`, or None to paint it when it
    is needed. `marking` belongs to `regions`. `task` is checked by `ground`, so that an unknown one gets a clear error. With
    `tags` False the model sees the clean picture and no marks are told (only `ask`). `constrain` None means: where the task
    selects. `decide` says who may choose in `refer` and `act`. `deadline_s` is for the whole answer.

    `choices` are the closed pool of `classify`, and for `phrases` the phrases themselves where the caller knows them.
    `target` is the other picture of `correspond`. `instructions` and `earlier` come before the query in a conversation.
    With `calibrated` False, confidences are the bare shares of the model or scores of the ranker, as calibration itself needs them.
    """

    image: NDArray[np.uint8]
    regions: Regions
    marking: Marking
    query: str
    task: str = "ask"
    overlay: NDArray[np.uint8] | None = None
    style: MarkStyle | None = None
    tags: bool = True
    constrain: bool | None = None
    decide: Decide = "both"
    choices: tuple[str, ...] = ()
    target: MarkedPicture | None = None
    instructions: str = ""
    earlier: tuple[Turn, ...] = ()
    max_tokens: int = 512
    deadline_s: float | None = None
    device_pixel_ratio: float = 1.0
    from_tree: frozenset[str] = frozenset()
    lookalikes: tuple[LookAlike, ...] = ()
    captions: Captions | None = None
    calibrated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A chosen mark; `confidence` is a calibrated probability or the ranker's score (0-1), None after a free answer."""

    mark: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a mark is; `confidence` (0-1) is None where the words were written freely or read off the picture."""

    mark: str
    label: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A noun phrase, `query[char_start:char_end]`, and the marks it speaks of, the likeliest first."""

    char_start: int
    char_end: int
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """A mark, and the mark on the same thing in the target picture."""

    mark: str
    target_mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What to do on the screen, also in the words of two computer-use interfaces. Points lie inside the mark's region.

    `text` is what to type or to select; empty where a field is to be emptied. `openai` and `anthropic` are the decisive step, the
    `_steps` all of them in order.
    """

    type: ActionType
    mark: str
    point_xy_px: tuple[float, float]
    point_xy_norm: tuple[float, float]
    text: str | None
    openai: dict[str, Any]
    anthropic: dict[str, Any]
    openai_steps: tuple[dict[str, Any], ...]
    anthropic_steps: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundResult:
    """An answer whose mentions are resolved. `marks` are the marks of mentions and selection, each once.

    `none_of_these` says that a selecting task found no fitting mark, `none_confidence` (0-1) how surely, where the choice was
    confined. `unresolved` are ids that the text names and that do not
    exist. `ignored` names parts of the request that this model cannot be shown. `timing_ms` has a number per stage and their
    `total`.
    """

    task: Task
    text: str
    mentions: tuple[Mention, ...] = ()
    marks: tuple[Mark, ...] = ()
    selected: tuple[Selected, ...] = ()
    none_of_these: bool = False
    none_confidence: float | None = None
    unresolved: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    correspondences: tuple[Correspondence, ...] = ()
    action: Action | None = None
    decided_by: DecidedBy = "model"
    ignored: tuple[str, ...] = ()
    model_name: str
    model_version: str
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    timing_ms: dict[str, float] = field(default_factory=dict)
    lookalikes: tuple[LookAlike, ...] = ()
