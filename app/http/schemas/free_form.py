"""Fields that hold whatever JSON a caller sends: a tree, a document, a style. Says how deeply it may be nested; knows no field."""

from typing import Any

from pydantic import AfterValidator

MOST_LEVELS = 200
"""pydantic writes 255 levels down, those of our own bodies among them, and below that fails like a fault of ours. Nested
accessibility trees have two levels for every element inside another; real pages reach about 60 elements."""


def _not_too_deep(value: Any) -> Any:
    level, inner = 0, [value]
    while inner := [below for one in inner if isinstance(one, dict | list) for below in _inside(one)]:
        level += 1
        if level > MOST_LEVELS:
            raise ValueError(f"nested more than {MOST_LEVELS} levels deep")
    return value


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


NotTooDeep = AfterValidator(_not_too_deep)
