"""What a text line is, what a reader of text must do, and the text of one page, read as far as it is asked for.

Used by everything in `models.segmenters` that looks at text. Knows no model.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One recognised line: its box, its text and the x centre of each of its non-space characters."""

    text: str
    bbox_xyxy_px: Box
    score: float
    char_x_px: tuple[float, ...] = ()

    @property
    def height_px(self) -> float:
        """Height of the box."""
        return self.bbox_xyxy_px[3] - self.bbox_xyxy_px[1]

    def slice_text(self, x0_px: float, x1_px: float) -> str:
        """Return the part of the text whose characters have their centre in [x0, x1)."""
        glyphs = [index for index, char in enumerate(self.text) if not char.isspace()]
        if len(glyphs) != len(self.char_x_px):
            return self.text if x0_px <= (self.bbox_xyxy_px[0] + self.bbox_xyxy_px[2]) / 2 < x1_px else ""
        inside = [glyph for glyph, x in zip(glyphs, self.char_x_px, strict=True) if x0_px <= x < x1_px]
        return self.text[inside[0] : inside[-1] + 1] if inside else ""

    def slice(self, x0_px: float, x1_px: float) -> "TextLine":
        """Return the line cut to [x0, x1) in x: box, text and characters."""
        left, top, right, bottom = self.bbox_xyxy_px
        return TextLine(
            text=self.slice_text(x0_px, x1_px),
            bbox_xyxy_px=(max(left, x0_px), top, min(right, x1_px), bottom),
            score=self.score,
            char_x_px=tuple(x for x in self.char_x_px if x0_px <= x < x1_px),
        )


class TextReader(Protocol):
    """Finds the text lines of an image and, apart from that, recognises them: the second costs the most."""

    version: str

    def locate(self, image: NDArray[np.uint8]) -> list[Box]:
        """Return the boxes of the lines of `image` ((H, W, 3) uint8 RGB), rows from top to bottom."""
        ...

    def recognise(self, image: NDArray[np.uint8], boxes: Sequence[Box]) -> list[TextLine | None]:
        """Return the line in each of `boxes` that `locate` found on `image`; None where nothing is legible."""
        ...


class PageText:
    """The text of one picture. Lines are recognised when they are first asked for, never twice."""

    def __init__(self, reader: TextReader, image: NDArray[np.uint8]) -> None:
        """Find the lines of `image` ((H, W, 3) uint8 RGB) with `reader`; none is recognised yet."""
        self._reader = reader
        self._image = image
        self.boxes: tuple[Box, ...] = tuple(reader.locate(image))
        self._known: dict[int, TextLine | None] = {}

    def read(self, wanted: Iterable[int]) -> list[TextLine]:
        """Return the legible lines among those at `wanted` (indices into `boxes`), from top to bottom."""
        indices = sorted(set(wanted))
        new = [index for index in indices if index not in self._known]
        found = self._reader.recognise(self._image, [self.boxes[index] for index in new]) if new else []
        self._known.update(zip(new, found, strict=True))
        return [line for index in indices if (line := self._known[index]) is not None]

    def read_all(self) -> list[TextLine]:
        """Return every legible line, from top to bottom."""
        return self.read(range(len(self.boxes)))
