"""Datasets as LLaVA JSON: `{"id", "image", "conversations": [{"from", "value"}, ...]}`.

`image` is a relative path under the folder that the trainer is given: `<image id>.png`, or for a tagged text the
marked picture, `<mark set id>.png`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.catalog.tables import DatasetItemRow, TextRow

Item = tuple[DatasetItemRow, TextRow]


def image_file(text: TextRow) -> str:
    """The file name under which a text's picture is exported."""
    return f"{text.mark_set_id}.png" if text.tagged and text.mark_set_id is not None else f"{text.image_id}.png"


def llava_sample(item: DatasetItemRow, text: TextRow) -> dict[str, Any]:
    """One training sample."""
    return {"id": str(text.id), "image": image_file(text), "conversations": item.conversations}


def llava_document(items: Iterable[Item]) -> list[dict[str, Any]]:
    """The whole dataset as LLaVA's trainer reads it."""
    return [llava_sample(item, text) for item, text in items]


def jsonl_lines(items: Iterable[Item]) -> Iterator[str]:
    """One sample per line, with kind, review and provenance beside it."""
    for item, text in items:
        extra = {"kind": text.kind, "review": text.review, "provenance": text.provenance}
        yield json.dumps({**llava_sample(item, text), **extra}) + "\n"
