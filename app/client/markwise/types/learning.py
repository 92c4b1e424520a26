"""Training texts and their writers, datasets of them, models that were taught, and how they were measured."""

from typing import Any, Literal

from markwise.types.body import Body


class Writer(Body):
    """Something that writes training texts: of which kind, in which modes, with which options (name: type)."""

    kind: str
    writer: str
    about: Literal["marks", "facts"]
    teacher: Literal["never", "by eye", "by text", "if named"]
    modes: list[str]
    options: dict[str, str]
    says: str


class Recipe(Body):
    """A recipe by name, for `build_dataset` or `train`; `recipe` is a mixture, to be changed and sent.

    `needs` is what has to be there: `files` in the server's folder of imports, a `dataset`, or nothing.
    """

    name: str
    object: Literal["dataset_recipe", "training_recipe"]
    purpose: str
    needs: Literal["files", "dataset"] | None
    recipe: dict[str, Any] | None


class ItemCounts(Body):
    """How many items of an order are done."""

    done: int
    total: int
    failed: int


class Written(Body):
    """How the texts of one writer, mode, prompt and teacher came to be; rates are None where no teacher was asked."""

    writer: str | None
    mode: str | None
    prompt_version: str | None
    model: str | None
    texts: int
    first_try: int
    checks_failed: int
    tries: int
    prompt_tokens: int
    completion_tokens: int
    first_try_rate: float | None
    tries_mean: float | None


class Annotation(Body):
    """How the texts of an order came to be."""

    id: str
    object: str
    kind: str
    items: ItemCounts
    usage: dict[str, Any] | None
    texts: list[Written]


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


class TextRevision(Body):
    """What a text was at one point of its history; revision 0 is what the teacher wrote."""

    revision: int
    review: str
    reason: str | None
    reviewer: str | None
    conversations: list[Any]
    created_at: str


class ReviewCount(Body):
    """How the texts of one teacher and prompt were judged; rates (0-1) are shares of those that were reviewed."""

    writer: str | None
    teacher: str | None
    prompt: str | None
    kind: str
    texts: int
    reviewed: int
    accepted: int
    edited: int
    rejected: int
    reasons: dict[str, int]
    agreement_rate: float | None
    edit_rate: float | None
    rejection_rate: float | None


class ReviewStatistics(Body):
    """Verdicts per teacher and prompt."""

    object: str
    data: list[ReviewCount]


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


class DatasetItem(Body):
    """One text of a dataset at its place, with the words that it has there."""

    position: int
    text_id: str | None
    revision: int | None
    sample_id: str
    image: str | None
    image_url: str | None
    kind: str
    review: str | None
    part: str
    stage: str
    conversations: list[Any]


class DatasetPreview(Body):
    """What a dataset would be, were it built now; `samples` are from all over it, long ones cut."""

    object: str
    recipe: dict[str, Any]
    statistics: dict[str, Any]
    content_sha256: str
    samples: list[DatasetItem]


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


class Benchmark(Body):
    """A benchmark, and its chief number. `source` is where its questions come from now; None where files are missing."""

    name: str
    chief: str
    judged: bool
    source: Literal["files", "drawings"] | None


class EvaluationItem(Body):
    """One question of an evaluation: the answer or why there is none, and how good it is by itself (0-1)."""

    position: int
    question_id: str
    answer: dict[str, Any] | None
    error: str | None
    grade: float | None


class Evaluation(Body):
    """The measurement of one model by one benchmark; `settings` say which model, and how it was asked."""

    id: str
    object: str
    benchmark: str
    model_version_id: str | None
    dataset_id: str | None
    job_id: str | None
    settings: dict[str, Any]
    metrics: dict[str, Any]
    report: dict[str, Any]
    created_at: str
    items: list[EvaluationItem] | None = None


class Look(Body):
    """Where a model looked. `weights` are rows of a grid over the square that it sees, and sum to 1.

    The picture lies in the middle of the square, its long side as wide; `words` are the tokens whose attention it is the mean of.
    """

    object: str
    mark_set_id: str
    model: str
    words: list[str]
    weights: list[list[float]]


class Candidate(Body):
    """An image, how surely (0-1) marks are painted on it, and the patch that speaks most for that."""

    image_id: str
    score: float
    bbox_xyxy_px: list[float]
