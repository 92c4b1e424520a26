"""The shape of every list: `{"data", "has_more", "next_cursor"}`."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from typing_extensions import TypedDict

from app.catalog.paging import Page

Item = TypeVar("Item")


class ListBody(TypedDict, Generic[Item]):
    """One page."""

    data: list[Item]
    has_more: bool
    next_cursor: str | None


def list_body(page: Page[Any], render: Callable[[Any], Item]) -> ListBody[Item]:
    """Render a page of rows."""
    return {
        "data": [render(row) for row in page.rows],
        "has_more": page.next_cursor is not None,
        "next_cursor": page.next_cursor,
    }
