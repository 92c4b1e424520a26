"""What all types of the service have in common, and the shapes of its geometry and of its lists."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Point = tuple[float, float]
Box = tuple[float, float, float, float]
T = TypeVar("T")


class Body(BaseModel):
    """The base of all: immutable, and open to fields that are not known yet."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Whole(Body, Generic[T]):
    """A list that comes in one piece."""

    data: list[T]


class Page(Body, Generic[T]):
    """One page of a list."""

    data: list[T]
    has_more: bool
    next_cursor: str | None
