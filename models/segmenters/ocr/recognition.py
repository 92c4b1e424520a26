"""Turns the picture of one line into the network's input, and the network's answer into text with a place per character.

CTC decoding (Graves et al., 2006): the best class of every column, repeats joined, blanks dropped. Knows no engine.
"""

import math
import unicodedata
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr.lines import Box, TextLine

_HEIGHT_PX = 48
# The network saw lines padded to at least 320 px in training: unpadded, 21 of 467 lines read differently, padded 10,
# among them counters such as "3+" and "0". It costs 6 %.
_LEAST_WIDTH_PX = 320
_WIDTH_STEP_PX = 32  # few widths: every new one compiles kernels (45 % of the first run)
_MIN_SCORE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What stands in a crop, wherever the crop lies: text, mean probability, characters' centres as shares of its width."""

    text: str
    score: float
    centres: tuple[float, ...]


def network_input(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a line's picture ((h, w, 3) uint8 RGB) as (1, 3, 48, W) float32: BGR in -1..1, zeros to its right."""
    width = text_width(crop)
    resized = cv2.resize(crop, (width, _HEIGHT_PX))
    blob = cv2.dnn.blobFromImage(resized, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
    padded = np.zeros((1, 3, _HEIGHT_PX, padded_width(width)), np.float32)
    padded[:, :, :, :width] = blob
    return padded


def text_width(crop: NDArray[np.uint8]) -> int:
    """Width of a line's picture at the network's height."""
    return max(1, math.ceil(_HEIGHT_PX * int(crop.shape[1]) / int(crop.shape[0])))


def padded_width(width: int) -> int:
    """Width of the network's input for a line `width` px wide."""
    return max(_LEAST_WIDTH_PX, math.ceil(width / _WIDTH_STEP_PX) * _WIDTH_STEP_PX)


def decode(best: NDArray[np.int64], chance: NDArray[np.float32], alphabet: tuple[str, ...], filled: float) -> Reading:
    """Decode the best class (columns,) and its probability; class 0 is the blank, `filled` the width's share of text."""
    kept = best != 0
    kept[1:] &= best[1:] != best[:-1]
    columns = np.flatnonzero(kept)
    if not len(columns):
        return Reading(text="", score=0.0, centres=())
    chars = [alphabet[index] for index in best[columns]]
    used = len(best) * filled
    centres = tuple(
        min((float(column) + 0.5) / used, 1.0)
        for column, char in zip(columns, chars, strict=True)
        if not char.isspace()
    )
    raw = "".join(chars)
    text = unicodedata.normalize("NFKC", raw)
    return Reading(
        text=(text if len(text) == len(raw) else raw).strip(),
        score=float(chance[columns].mean()),
        centres=centres,
    )


def place(reading: Reading, box: Box) -> TextLine | None:
    """Return a reading as the line in `box`, None where it is empty or doubtful."""
    if not reading.text or reading.score < _MIN_SCORE:
        return None
    width = box[2] - box[0]
    return TextLine(
        text=reading.text,
        bbox_xyxy_px=box,
        score=reading.score,
        char_x_px=tuple(box[0] + centre * width for centre in reading.centres),
    )
