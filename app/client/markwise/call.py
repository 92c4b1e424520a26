"""A request to the service as a value: method, path, body, and how its answer is read. Sends nothing.

`grounding`, `learning` and `administration` describe the service's routes with these; the two clients send them.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from markwise.types import Job, Page, Whole

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how its answer is read.

    Where the service answers 202, `then` fetches what the finished job has made, or `each` all that it has made, in order.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Json | None = None
    then: "Callable[[Job], Call[T]] | None" = None
    each: "Callable[[Job], list[Call[Any]]] | None" = None


@dataclass(frozen=True, kw_only=True)
class Listed(Generic[T]):
    """A list that is read page by page."""

    path: str
    read: Callable[[bytes], Page[T]]
    params: Mapping[str, Any] = field(default_factory=dict)

    def page(self, after: str | None) -> Call[Page[T]]:
        """The page that follows a cursor."""
        params = {**self.params, **({} if after is None else {"after": after})}
        return Call(method="GET", path=self.path, params=params, read=self.read)


@functools.cache
def reader(of: Any) -> Callable[[bytes], Any]:
    """Return what reads JSON as a type; made once for each, for making it costs more than reading."""
    adapter: TypeAdapter[Any] = TypeAdapter(of)
    return adapter.validate_json


def all_of(of: Any) -> Callable[[bytes], list[Any]]:
    """Return what reads a list that comes in one piece."""
    read = reader(Whole[of])
    return lambda data: list(read(data).data)


def made(result: Job, name: str) -> str:
    """Return what a finished job made, by its name in the job's result, such as `mark_set_id`."""
    return str((result.result or {})[name])


def given(**values: Any) -> Json:
    """Return those that are not None: what is left out of a request leaves the service its own default."""
    return {name: value for name, value in values.items() if value is not None}


def id_of(thing: Any) -> str:
    """Return the id of a thing, or the id that was given in its place."""
    return thing if isinstance(thing, str) else str(thing.id)


def nothing(_: bytes) -> None:
    """Read an answer that has no body."""
