"""The bodies of annotations: what can write texts, and how those of an order came to be."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from app.catalog.tables import JobRow
from app.formats.bodies import usage_body
from models.writers.registry import Entry, Taught


class WriterBody(TypedDict):
    """A writer of training texts, with its modes and its options (name: type). `teacher` says when a model is asked."""

    kind: str
    writer: str
    about: Literal["marks", "facts"]
    teacher: Taught
    modes: list[str]
    options: dict[str, str]
    says: str


class ItemCountsBody(TypedDict):
    """How many items of an order are done."""

    done: int
    total: int
    failed: int


class WrittenBody(TypedDict):
    """How the texts of one writer, mode, prompt and teacher came to be; rates are null where no teacher was asked."""

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


class AnnotationBody(TypedDict):
    """How the texts of an order came to be. `usage` is what its teacher took, also for texts that were not kept."""

    id: str
    object: str
    kind: str
    items: ItemCountsBody
    usage: dict[str, Any] | None
    texts: list[WrittenBody]


def writer_body(kind: str, name: str, entry: Entry) -> WriterBody:
    """One writer of the registry."""
    return {
        "kind": kind,
        "writer": name,
        "about": entry.about,
        "teacher": entry.taught,
        "modes": list(entry.modes),
        "options": {option: " or ".join(t.__name__ for t in types) for option, types in entry.options.items()},
        "says": entry.says,
    }


def annotation_body(job: JobRow, fared: Sequence[Mapping[str, Any]]) -> AnnotationBody:
    """An order, and how its texts fared as `WritingRepository.tries` counts it."""
    return {
        "id": str(job.id),
        "object": "annotation",
        "kind": job.payload["kind"],
        "items": {"done": job.progress_done, "total": job.progress_total, "failed": job.progress_failed},
        "usage": usage_body(job.usage),
        "texts": [_written_body(counted) for counted in fared],
    }


def _written_body(counted: Mapping[str, Any]) -> WrittenBody:
    asked, texts = bool(counted["tries"]), counted["texts"]
    return {
        "writer": counted["writer"],
        "mode": counted["mode"],
        "prompt_version": counted["prompt_version"],
        "model": counted["model"],
        "texts": texts,
        "first_try": counted["first_try"],
        "checks_failed": counted["checks_failed"],
        "tries": counted["tries"],
        "prompt_tokens": counted["prompt_tokens"],
        "completion_tokens": counted["completion_tokens"],
        "first_try_rate": round(counted["first_try"] / texts, 4) if asked else None,
        "tries_mean": round(counted["tries"] / texts, 3) if asked else None,
    }
