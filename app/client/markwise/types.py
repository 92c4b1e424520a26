"""What the service returns, typed. Read with tolerance: a field that a newer service adds is kept, not refused.

Geometry is in pixels of the image as it is displayed, origin top left. A test compares every model here with the served OpenAPI
document, field by field.
"""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Point = tuple[float, float]
Box = tuple[float, float, float, float]
T = TypeVar("T")


class Body(BaseModel):
    """The base of all: immutable, and open to fields that are not known yet."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Page(Body, Generic[T]):
    """One page of a list."""

    data: list[T]
    has_more: bool
    next_cursor: str | None


class Image(Body):
    """An image that the service knows."""

    id: str
    object: str
    sha256: str
    media_type: str
    width: int
    height: int
    bytes: int
    labels: list[str]
    created_at: str


class LabelCount(Body):
    """A label and how many images carry it."""

    label: str
    images: int


class Relabelled(Body):
    """How many images have other labels now."""

    object: str
    changed: int


class Kept(Body):
    """An image that was not deleted, and why."""

    id: str
    reason: str


class Deleted(Body):
    """What became of images that were to go."""

    object: str
    deleted: list[str]
    missing: list[str]
    kept: list[Kept]


class Mark(Body):
    """A mark and the region it stands for; `rle` (COCO's) is there when masks were asked for."""

    id: str
    region_id: str
    bbox_xyxy_px: Box
    bbox_xyxy_norm: Box
    point_xy_px: Point
    occluded: bool
    label_xy_px: Point
    label_bbox_xyxy_px: Box
    leader: list[float] | None
    area_px: int
    score: float
    text: str | None
    role: str | None
    lookalike: bool
    rle: dict[str, Any] | None = None


class Caution(Body):
    """Something to know before acting on a picture."""

    kind: str
    text: str
    bbox_xyxy_px: Box
    mark: str | None


class ImageOfMarkSet(Body):
    """The image of a mark set, in short."""

    id: str
    sha256: str
    width: int
    height: int


class Segmenter(Body):
    """What found the regions."""

    name: str
    version: str
    granularity: int | None


class MarkSet(Body):
    """The marks of one image, from one segmenter at one setting."""

    id: str
    object: str
    image: ImageOfMarkSet
    segmenter: Segmenter
    style: str | dict[str, Any]
    marks: list[Mark]
    omitted_regions: int
    warnings: list[Caution]
    overlay_url: str
    cached: bool
    created_at: str

    def mark(self, mark_id: str) -> Mark:
        """Return a mark by its id; raises KeyError."""
        for each in self.marks:
            if each.id == mark_id:
                return each
        raise KeyError(mark_id)


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


class Progress(Body):
    """How far a job is."""

    done: int
    total: int
    failed: int
    percent: float
    stage: str | None


class Job(Body):
    """Durable work; `order` is there when it was asked for."""

    id: str
    object: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelling", "cancelled"]
    progress: Progress
    attempt: int
    usage: dict[str, Any] | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    order: dict[str, Any] | None = None

    @property
    def over(self) -> bool:
        """Whether only a retry can change it."""
        return self.status in {"succeeded", "failed", "cancelled"}


class JobItem(Body):
    """One unit of a batch job."""

    item: int
    status: str
    attempt: int
    payload: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    finished_at: str | None


class CurvePoint(Body):
    """A bucket of a curve: its last step, mean, least and greatest value, and when it ended."""

    step: int | None
    value: float
    low: float
    high: float
    at: str


class Curve(Body):
    """One number over a stage of a job, such as `loss`, `tokens_per_s` or `eta_s`."""

    name: str
    stage: str | None
    count: int
    points: list[CurvePoint]


class Curves(Body):
    """What a job reported as it went, thinned out for a chart."""

    object: str
    job_id: str
    data: list[Curve]


class Event(Body):
    """A server-sent event: of a job (`progress`, `log`, `metric`, `completed`) or of an answer as it is written."""

    name: str
    id: str | None = None
    data: dict[str, Any]


class Outdated(Body):
    """A person has corrected the marks since the text was written."""

    newest_mark_set_id: str
    fits: bool


class Text(Body):
    """A training text with its provenance."""

    id: str
    object: str
    kind: str
    image_id: str
    mark_set_id: str | None
    job_id: str
    tagged: bool
    conversations: list[Any]
    provenance: dict[str, Any]
    review: str
    reviewed_at: str | None
    revision: int
    outdated: Outdated | None
    created_at: str


class Dataset(Body):
    """A sealed mixture of texts."""

    id: str
    object: str
    name: str
    version: int
    content_sha256: str
    recipe: dict[str, Any]
    statistics: dict[str, Any]
    created_at: str


class Model(Body):
    """A model version, or a model that needs no registering."""

    id: str
    object: str
    created: int
    owned_by: str
    name: str
    version: int | None
    kind: str
    base_id: str | None
    job_id: str | None
    recipe: dict[str, Any]
    metrics: dict[str, Any]
    origin: dict[str, Any]
    deployed: bool
    created_at: str | None


class Gate(Body):
    """What a rule of the gate found: the new model's figure and that of the one before it."""

    benchmark: str
    metric: str
    new: float
    current: float
    kept: bool


class Deployment(Body):
    """What answers now, and what a deployment was measured by."""

    object: str
    name: str
    model_version: Model | None
    gate: list[Gate]


class Evaluation(Body):
    """The measurement of one model by one benchmark."""

    id: str
    object: str
    benchmark: str
    model_version_id: str | None
    dataset_id: str | None
    job_id: str | None
    metrics: dict[str, Any]
    report: dict[str, Any]
    created_at: str


class Candidate(Body):
    """An image, how surely (0-1) marks are painted on it, and the patch that speaks most for that."""

    image_id: str
    score: float
    bbox_xyxy_px: list[float]


class Storage(Body):
    """What is stored, and how much may be; None is no limit."""

    images: int
    bytes: int
    max_images: int | None
    max_bytes: int | None


class Key(Body):
    """An API key; `key` itself is there only when it was just made. `storage`: what it let in that is still there."""

    id: str
    object: str
    name: str
    prefix: str
    scopes: list[str]
    expires_at: str | None
    revoked_at: str | None
    created_at: str
    storage: Storage
    key: str | None = None


class Webhook(Body):
    """A subscription; `secret` is there only when it was just made."""

    id: str
    object: str
    url: str
    events: list[str]
    kinds: list[str] | None
    active: bool
    created_at: str
    secret: str | None = None
