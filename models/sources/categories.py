"""The categories of a COCO file by id, and the name of an entry's category. Called by `coco` and `panoptic`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.sources.records import BrokenFile, BrokenRecord
from models.sources.streaming import entries, field

Categories = Mapping[Any, Mapping[str, Any]]


def categories_of(path: Path) -> Categories:
    """Return the categories of a file, none for captions; raises BrokenFile for one without id or name."""
    try:
        return {field(entry, "id"): entry for entry in entries(path, "categories") if field(entry, "name")}
    except (BrokenRecord, TypeError):
        raise BrokenFile(f"{path.name}: each of its categories must have `id` and `name`.") from None


def label_of(entry: Any, categories: Categories) -> str:
    """The name of an annotation's category; raises BrokenRecord where the file has no such category."""
    category = field(entry, "category_id")
    if not isinstance(category, int | str) or category not in categories:
        raise BrokenRecord(f"there is no category {category}")
    return str(categories[category]["name"])
