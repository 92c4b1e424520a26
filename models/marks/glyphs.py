"""Tells from pixels alone whether a picture's print is mostly digits: printed glyphs compared with our own font's.

For the automatic mark kind where nobody has read the text. It reads nothing: only glyphs that cannot be mistaken for one
another are counted (3, 4, 7 against letters without a digit's shape), so handwriting and odd fonts count for nothing.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.marks.labels import label_ink

_DIGITS = "347"
_LETTERS = "ACDEFGHKLMNPRTUVWXYacdefhkmnprtuvwxy"
# What share of all digits, and of all letters of running text, the counted ones make up.
_DIGITS_SHARE, _LETTERS_SHARE = 0.3, 0.75
_SIDE = 16
_CONTRAST = 25  # grey levels against the surroundings
_ALIKE = 0.8
_MAX_GLYPHS = 3000
_LEAST = 6  # sure glyphs, or the picture has no print to speak of


def mostly_digits(image: NDArray[np.uint8]) -> bool:
    """Return whether the print in `image` (H, W, 3) uint8 RGB is more digits than letters; False where there is little.

    15 to 50 ms a megapixel.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    around = cv2.boxFilter(grey, -1, (31, 31))
    digits = letters = 0
    for printed in (cv2.subtract(around, grey) > _CONTRAST, cv2.subtract(grey, around) > _CONTRAST):
        which = _recognised(printed)
        digits += int((which < len(_DIGITS)).sum())
        letters += int((which >= len(_DIGITS)).sum())
    return digits >= _LEAST and digits / _DIGITS_SHARE > letters / _LETTERS_SHARE


def _recognised(printed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the template numbers of the connected spots that are surely one of the templates."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(printed.view(np.uint8), connectivity=8)
    w, h, area = (stats[1:, k].astype(np.float64) for k in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    like = (h >= 7) & (h <= 60) & (w <= 1.4 * h) & (w >= 0.25 * h) & (area >= 0.15 * w * h) & (area <= 0.85 * w * h)
    chosen = np.flatnonzero(like)[:_MAX_GLYPHS]
    if not chosen.size:
        return np.zeros(0, np.int64)
    glyphs = np.stack([_normal(_cut(labels, stats, int(k) + 1)) for k in chosen])
    templates, aspects = _templates()
    slant = np.abs(np.log((w[chosen] / h[chosen])[:, None] / aspects))
    alike = glyphs @ templates.T - 0.5 * slant
    return np.asarray(alike.argmax(1)[alike.max(1) >= _ALIKE], np.int64)


def _cut(labels: NDArray[np.int32], stats: NDArray[np.int32], k: int) -> NDArray[np.bool_]:
    x, y, w, h = stats[k, :4].tolist()
    return np.asarray(labels[y : y + h, x : x + w] == k)


@lru_cache(maxsize=1)
def _templates() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    shapes = []
    for sign in _DIGITS + _LETTERS:
        ink = label_ink(sign, 56) > 127
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        shapes.append(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return np.stack([_normal(shape) for shape in shapes]), np.array([s.shape[1] / s.shape[0] for s in shapes])


def _normal(shape: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a glyph as a unit vector that does not depend on its size or weight."""
    square = cv2.resize(shape.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    vector = np.asarray(cv2.GaussianBlur(square, (3, 3), 0), np.float32).ravel()
    vector -= vector.mean()
    return vector / np.float32(np.linalg.norm(vector) + 1e-6)
