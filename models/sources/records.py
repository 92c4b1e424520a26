"""What a reader yields: records and faults, and what it needs from its caller. Pure values; called by every reader."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.facts import ImageFacts

Decode = Callable[[bytes], NDArray[np.uint8]]
"""Bytes of a picture -> (H, W, 3) RGB; raises an error whose text may be shown. Readers never decode by themselves."""


def _nothing() -> None:
    """Nobody wants to know."""


class BrokenFile(BadInput):
    """An annotation file that cannot be read on: the message names the file and what to do."""


class BrokenRecord(BadInput):
    """One entry that cannot be meant; readers turn it into a `Fault`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """Where the picture of a record is: a file that the reader found, a name under the folder of images, or a URL.

    They are tried in this order.
    """

    path: Path | None = None
    file_name: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One image and what its source says about it.

    `facts` is None where the source says nothing, not even a size. With `fractions`, boxes are shares of the image on
    a frame of 1 x 1, because the source states no size; `sizing.in_pixels` turns them once the picture is open. `aliases`
    are names of the same picture elsewhere, such as `coco:42`.
    """

    external_id: str
    image: ImageReference
    facts: ImageFacts | None = None
    fractions: bool = False
    conversations: tuple[Mapping[str, Any], ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A record that cannot be used: which one, and why."""

    external_id: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a reader may use: an empty folder for sorting, which the caller removes, and the caller's picture decoder.

    `beat` is called with every entry that is read; what it raises ends the reading (a caller's cancel).
    """

    scratch: Path
    decode: Decode
    beat: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An opened source of `total` records and faults. `records` may be called again: the same come in the same order."""

    records: Callable[[], Iterator[Record | Fault]]
    total: int
