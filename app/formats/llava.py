"""Dataset items as LLaVA JSON and JSON lines: `{"id", "image", "conversations": [{"from", "value"}, ...]}`.

`image` is a relative path under the folder that the trainer is given: `<image id>.png`, for a marked picture
`<mark set id>.png`, for a part of an image `<image id>@x0-y0-x1-y1.png`, for a record of a file what the file says; a
text alone has none. Knows no catalog: rows come in.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from app.catalog.tables import DatasetItemRow

_CUT = re.compile(r"[0-9a-f-]{36}@(\d+)-(\d+)-(\d+)-(\d+)\.png")


def image_file(image_id: UUID, mark_set_id: UUID | None, cut_xyxy_px: Sequence[int] | None = None) -> str:
    """The file name under which a picture of the catalog is exported: the marked one where a mark set is given.

    With `cut_xyxy_px` it is that part of the unmarked image.
    """
    if cut_xyxy_px is not None:
        return f"{image_id}@{'-'.join(map(str, cut_xyxy_px))}.png"
    return f"{image_id if mark_set_id is None else mark_set_id}.png"


def cut_of(name: str) -> tuple[int, int, int, int] | None:
    """Which part of an image a file name means, or None for a whole one; for pictures of the catalog only."""
    found = _CUT.fullmatch(name)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]), int(found[4]))


def llava_sample(sample_id: str, image: str | None, conversations: Sequence[Any]) -> dict[str, Any]:
    """One training sample, from an item's columns."""
    named = {} if image is None else {"image": image}
    return {"id": sample_id, **named, "conversations": list(conversations)}


def sample_of(item: DatasetItemRow) -> dict[str, Any]:
    """One training sample."""
    return llava_sample(item.sample_id, item.image, item.conversations)


def llava_text(items: Iterable[DatasetItemRow]) -> Iterator[str]:
    """The whole dataset as LLaVA's trainer reads it, in pieces."""
    yield "["
    for number, item in enumerate(items):
        yield (",\n" if number else "\n") + json.dumps(sample_of(item), ensure_ascii=False)
    yield "\n]\n"


def jsonl_lines(items: Iterable[DatasetItemRow]) -> Iterator[str]:
    """One sample per line, with what is known of it beside it."""
    for item in items:
        yield json.dumps({**sample_of(item), **facts_of(item)}, ensure_ascii=False) + "\n"


def facts_of(item: DatasetItemRow) -> dict[str, Any]:
    """What an item tells besides the sample itself."""
    return {
        "kind": item.kind,
        "part": item.part,
        "stage": item.stage,
        "review": item.review,
        "text_id": None if item.text_id is None else str(item.text_id),
        "revision": item.revision,
    }
