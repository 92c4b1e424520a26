"""What grounding is asked and what it answers; the workers turn these into the bodies of the HTTP contract.

Values only: no model is called here and nothing is drawn.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.marks import Mark, Marking, MarkStyle
from models.regions import Regions
from models.vlm.parse import ListedItem, Mention
from models.vlm.types import FinishReason

Task = Literal["ask", "list", "refer", "act"]
Decide = Literal["both", "ranker", "model"]
DecidedBy = Literal["model", "text", "position", "accessibility"]
ActionType = Literal["click", "type", "select"]

TASKS: tuple[Task, ...] = ("ask", "list", "refer", "act")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundRequest:
    """One question about one marked picture.

    `image` is the clean picture, (H, W, 3) uint8 RGB; `overlay` the same one painted with `marking`, or None to paint it when it
    is needed. `marking` belongs to `regions`. `task` is checked by `ground`, so that an unknown one gets a clear error. With
    `tags` False the model sees the clean picture and no marks are told (only `ask`). `constrain` None means: where the task
    selects. `decide` says who may choose in `refer` and `act`. `deadline_s` is for the whole answer.
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
    max_tokens: int = 512
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A chosen mark; `confidence` is a probability or the ranker's score (0-1), None after a free answer."""

    mark: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What to do on the screen, also in the words of two computer-use interfaces. Points lie inside the mark's region."""

    type: ActionType
    mark: str
    point_xy_px: tuple[float, float]
    point_xy_norm: tuple[float, float]
    text: str | None
    openai: dict[str, Any]
    anthropic: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundResult:
    """An answer whose mentions are resolved. `marks` are the marks of mentions and selection, each once.

    `none_of_these` says that a selecting task found no fitting mark. `unresolved` are ids that the text names and that do not
    exist. `timing_ms` has a number per stage and their `total`.
    """

    task: Task
    text: str
    mentions: tuple[Mention, ...] = ()
    marks: tuple[Mark, ...] = ()
    selected: tuple[Selected, ...] = ()
    none_of_these: bool = False
    unresolved: tuple[str, ...] = ()
    labels: tuple[ListedItem, ...] = ()
    action: Action | None = None
    decided_by: DecidedBy = "model"
    model_name: str
    model_version: str
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    timing_ms: dict[str, float] = field(default_factory=dict)
