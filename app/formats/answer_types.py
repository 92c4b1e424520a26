"""The shape of an answer, field by field: what the API document says and clients are written against. Built in `answers`."""

from typing import Any, Literal

from typing_extensions import TypedDict

from app.formats.bodies import MarkBody
from app.formats.lookalikes import WarningBody


class MentionBody(TypedDict):
    """Where in `text` a mark is named; end exclusive, in characters."""

    mark: str
    char_start: int
    char_end: int


class SelectedBody(TypedDict):
    """A mark that was chosen, and how surely."""

    mark: str
    confidence: float | None


class LabelBody(TypedDict):
    """The name that `classify` chose for a mark, and how surely."""

    mark: str
    label: str
    confidence: float | None


class PhraseBody(TypedDict):
    """A noun phrase of the query and the marks that it means; end exclusive, in characters of the query."""

    char_start: int
    char_end: int
    marks: list[str]


class CorrespondenceBody(TypedDict):
    """A mark of the first image and the one of the second that is the same thing."""

    mark: str
    target_mark: str


class StepsBody(TypedDict):
    """Everything to do, in order: a click before typing, say."""

    openai: list[dict[str, Any]]
    anthropic: list[dict[str, Any]]


class ActionBody(TypedDict):
    """What an agent can carry out; the first step alone is in `openai` and `anthropic`."""

    type: Literal["click", "type", "select"]
    mark: str
    point_xy_px: list[float]
    point_xy_norm: list[float]
    text: str | None
    openai: dict[str, Any]
    anthropic: dict[str, Any]
    steps: StepsBody


class ModelOfAnswer(TypedDict):
    """What answered."""

    name: str
    version: str | None


class UsageBody(TypedDict):
    """Tokens of the model; 0 where it was not asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AnswerBody(TypedDict):
    """What a model said to one query, with every named mark resolved."""

    id: str
    object: str
    task: str
    query: str
    text: str
    mentions: list[MentionBody]
    marks: list[MarkBody]
    selected: list[SelectedBody]
    none_of_these: bool
    none_confidence: float | None
    unresolved: list[str]
    labels: list[LabelBody]
    phrases: list[PhraseBody]
    correspondences: list[CorrespondenceBody]
    action: ActionBody | None
    decided_by: Literal["model", "text", "position", "accessibility"]
    ignored: list[str]
    finish_reason: str
    warnings: list[WarningBody]
    mark_set_id: str | None
    model: ModelOfAnswer
    usage: UsageBody
    timing_ms: dict[str, float]
    created_at: str


class AnswerList(TypedDict):
    """Several answers: those to `queries`, in their order, or a page of a list."""

    object: str
    data: list[AnswerBody]
    has_more: bool
    next_cursor: str | None
