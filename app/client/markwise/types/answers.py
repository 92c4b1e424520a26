"""What a model said to a question, and what an agent can do about it."""

from typing import Any, Literal

from markwise.types.body import Body, Point
from markwise.types.pictures import Caution, Mark


class Mention(Body):
    """Where an answer's text names a mark; end exclusive."""

    mark: str
    char_start: int
    char_end: int


class Selected(Body):
    """A mark that was chosen, and how surely (0-1)."""

    mark: str
    confidence: float | None


class Label(Body):
    """The name that was chosen for a mark."""

    mark: str
    label: str
    confidence: float | None


class Phrase(Body):
    """A noun phrase of the query and its marks; end exclusive."""

    char_start: int
    char_end: int
    marks: list[str]


class Correspondence(Body):
    """The same thing in two images."""

    mark: str
    target_mark: str


class Steps(Body):
    """All steps of an action, for both kinds of computer use."""

    openai: list[dict[str, Any]]
    anthropic: list[dict[str, Any]]


class Action(Body):
    """What an agent can carry out."""

    type: Literal["click", "type", "select"]
    mark: str
    point_xy_px: Point
    point_xy_norm: Point
    text: str | None
    openai: dict[str, Any]
    anthropic: dict[str, Any]
    steps: Steps


class ModelOfAnswer(Body):
    """What answered."""

    name: str
    version: str | None


class Usage(Body):
    """Tokens of the model."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Answer(Body):
    """What a model said to one query; `marks` are the ones it named, resolved."""

    id: str
    object: str
    task: str
    query: str
    text: str
    mentions: list[Mention]
    marks: list[Mark]
    selected: list[Selected]
    none_of_these: bool
    none_confidence: float | None
    unresolved: list[str]
    labels: list[Label]
    phrases: list[Phrase]
    correspondences: list[Correspondence]
    action: Action | None
    decided_by: Literal["model", "text", "position", "accessibility"]
    ignored: list[str]
    finish_reason: str
    warnings: list[Caution]
    mark_set_id: str | None
    model: ModelOfAnswer
    usage: Usage
    timing_ms: dict[str, float]
    created_at: str
