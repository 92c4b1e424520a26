"""The shape of every list, `{"data", "has_more", "next_cursor"}`, and how what the catalog made is written without another look."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import orjson
from fastapi.responses import Response
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


def as_it_is(body: Any) -> Response:
    """Return a body of the catalog's own values as FastAPI would write it, without checking it against its model.

    That check takes longer than all the rest for a page of marks. Not for what callers give freely: orjson refuses integers of more
    than 64 bits.
    """
    return Response(orjson.dumps(body), media_type="application/json")
