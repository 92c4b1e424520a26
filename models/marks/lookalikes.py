"""Finds marks that a page has painted itself: digits or a letter in our font, filling a small plate as our labels do.

Looked for on the clean picture, before we paint, so whatever is found is not ours. A badge or a page number is let be: its plate is
wider, its font another. Called once per marked picture. Knows nothing of segmenters.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from models.marks.labels import label_ink, label_width
from models.marks.types import Box

# Strokes are thinner and plates are not: 4-px strokes in labels of 10 to 20 px, 10-px ones in labels of 12 to 50.
_STROKES_PX = (5, 11)
_CONTRAST = 40  # grey levels of ink on its plate
_CAPS_PX = (6, 44)
_MOST_SIGNS = 3
# Levels by which a plate differs from what is around it. JPEG smears colours but not greys; a dark page is near a black plate.
_GREY_EDGE, _COLOR_EDGES = 24, (32, 14)
# Our labels leave .19 of the digits' height above and below, and as much beside them; a badge leaves .5 and more.
_PAD = (0.06, 0.42)
_SIDE_PAD = (0.04, 0.62)
_ALIKE = 0.78
_LEAST_PX = 11  # no label of ours is lower
_AS_WIDE = 0.25  # of what our label of that text and height would be
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # any bar is an I
_MOST_GROUPS = 2_000
_AROUND_PX = 6
_KEPT = 8

Signs = tuple[int, int, int, int]
"""Box of one to three signs, x0, y0, x1, y1 in pixels."""


_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """A painted mark that is not ours: what it says, and its plate in pixels of the picture."""

    text: str
    bbox_xyxy_px: Box


_KNOWN: dict[bytes, tuple[LookAlike, ...]] = {}


def find_lookalikes(image: NDArray[np.uint8]) -> tuple[LookAlike, ...]:
    """Return the painted look-alikes of marks in `image` ((H, W, 3) uint8 RGB, not marked by us), top to bottom.

    The pictures asked about last are remembered: a screenshot is looked at before it is read, and again when it is marked.
    """
    key = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16, key=repr(image.shape).encode()).digest()
    with _LOCK:
        known = _KNOWN.get(key)
    if known is None:
        known = _found(image)
        with _LOCK:
            _KNOWN[key] = known
            while len(_KNOWN) > _KEPT:
                _KNOWN.pop(next(iter(_KNOWN)))
    return known


def _found(image: NDArray[np.uint8]) -> tuple[LookAlike, ...]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    looks = ((grey[:, :, None], _GREY_EDGE), *((image, edge) for edge in _COLOR_EDGES))
    sums = cv2.integral(image)
    found: dict[Box, LookAlike] = {}
    for side_px, hat in product(_STROKES_PX, (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)):
        ink = cv2.morphologyEx(grey, hat, np.ones((side_px, side_px), np.uint8))
        for signs in _groups(ink, sums):
            for plate in filter(None, (_plate(look, signs, edge) for look, edge in looks)):
                text = _read(grey, plate)
                if text is not None:
                    box = (float(plate[0]), float(plate[1]), float(plate[2]), float(plate[3]))
                    found[box] = LookAlike(text=text, bbox_xyxy_px=box)
                    break
    whole = [box for box in found if not any(_within(box, other) for other in found)]
    return tuple(found[box] for box in sorted(whole, key=lambda box: (box[1], box[0])))


def without_lookalikes(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `image` with its painted look-alikes filled from what is round them; the same array where there are none.

    A tag that a page paints over a control hides the control's text from readers: they shall not read the tag for it.
    """
    found = find_lookalikes(image)
    if not found:
        return image
    clean = image.copy()
    for lookalike in found:
        x0, y0, x1, y1 = (round(value) for value in lookalike.bbox_xyxy_px)
        left, top = max(x0 - _AROUND_PX, 0), max(y0 - _AROUND_PX, 0)
        crop = np.ascontiguousarray(clean[top : y1 + _AROUND_PX, left : x1 + _AROUND_PX])
        hole = np.zeros(crop.shape[:2], np.uint8)
        hole[max(y0 - 1 - top, 0) : y1 + 1 - top, max(x0 - 1 - left, 0) : x1 + 1 - left] = 1
        clean[top : y1 + _AROUND_PX, left : x1 + _AROUND_PX] = cv2.inpaint(crop, hole, 3, cv2.INPAINT_TELEA)
    return clean


def _within(box: Box, other: Box) -> bool:
    """Whether a box is a smaller part of another: one sign of several that were found together."""
    inside = other[0] <= box[0] and other[1] <= box[1] and box[2] <= other[2] and box[3] <= other[3]
    return inside and box != other


def mark_with(lookalike: LookAlike, boxes: Mapping[str, Sequence[float]]) -> str | None:
    """Return which mark's region shows the look-alike, of several around it the smallest; `boxes` are the marks' by id."""
    x0, y0, x1, y1 = lookalike.bbox_xyxy_px
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    around = [mark for mark, box in boxes.items() if box[0] <= x < box[2] and box[1] <= y < box[3]]
    return min(around, key=lambda mark: _area(boxes[mark]), default=None)


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _groups(ink: NDArray[np.uint8], sums: NDArray[np.int32]) -> Iterator[Signs]:
    """Yield boxes (x0, y0, x1, y1) of one to three connected signs of one height that stand side by side, alone in their row."""
    printed = (ink > _CONTRAST).view(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(printed, connectivity=8)
    x, y, w, h = (stats[1:, column] for column in range(4))
    like = (h >= _CAPS_PX[0]) & (h <= _CAPS_PX[1]) & (w <= 2.8 * h) & (w >= 0.2 * h)
    boxes = np.stack([x, y, x + w, y + h], 1)[like]
    boxes = boxes[_framed(sums, boxes.astype(np.int64))[0]]
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    right, groups = _neighbours(boxes), []
    for first in np.flatnonzero(~np.isin(np.arange(len(boxes)), right)).tolist():
        row = [first]
        while right[row[-1]] >= 0 and len(row) <= _MOST_SIGNS:
            row.append(int(right[row[-1]]))
        x0, y0 = boxes[row, :2].min(0).tolist()
        x1, y1 = boxes[row, 2:].max(0).tolist()
        if len(row) <= _MOST_SIGNS and x1 - x0 <= 3.2 * (y1 - y0):
            groups.append((x0, y0, x1, y1))
    if groups:
        whole = np.asarray(groups[:_MOST_GROUPS], np.int64)
        yield from (groups[k] for k in np.flatnonzero(np.logical_and(*_framed(sums, whole))))


def _framed(sums: NDArray[np.int32], boxes: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return round which of the boxes (N, 4) another colour begins above and below, and left and right; `sums` is the integral.

    A quick look at all of them together: of a page's words and a photo's spots, few are left for the closer one.
    """
    x0, y0, x1, y1 = boxes.T
    up, side = (np.ceil(share * (y1 - y0)).astype(np.int64) + 2 for share in (_PAD[1], _SIDE_PAD[1]))
    plate = _mean(sums, x0, y0 - 1, x1, y0)

    def ends(*outside: NDArray[np.int64]) -> NDArray[np.bool_]:
        far: NDArray[np.bool_] = np.abs(_mean(sums, *outside) - plate).max(axis=1) <= _COLOR_EDGES[-1] / 2
        return ~far  # outside of the picture there is no mean, and the plate ends there

    above = ends(x0, y0 - up, x1, y0 - up + 2) & ends(x0, y1 + up - 2, x1, y1 + up)
    return above, ends(x0 - side, y0, x0 - side + 2, y1) & ends(x1 + side - 2, y0, x1 + side, y1)


def _mean(sums: NDArray[np.int32], *box: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean colours (N, 3) in boxes x0, y0, x1, y1 of (N,) each; NaN where one lies outside of the picture."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    x0, x1 = (np.clip(value, 0, width) for value in (box[0], box[2]))
    y0, y1 = (np.clip(value, 0, height) for value in (box[1], box[3]))
    total = sums[y1, x1].astype(np.float64) - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
    area = ((x1 - x0) * (y1 - y0)).astype(np.float64)
    return total / np.where(area > 0, area, np.nan)[:, None]


def _neighbours(boxes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return for each box, sorted by x, the index of the next sign of its row right beside it, or -1."""
    right = np.full(len(boxes), -1, np.int64)
    starts = boxes[:, 0]
    for i, (_, y0, x1, y1) in enumerate(boxes.tolist()):
        high = y1 - y0
        slack = max(1.0, 0.15 * high)
        begin, end = max(i + 1, int(np.searchsorted(starts, x1 - 1))), np.searchsorted(starts, x1 + 0.5 * high, "right")
        for j in range(begin, int(end)):
            if abs(boxes[j, 1] - y0) <= slack and abs(boxes[j, 3] - y1) <= slack:
                right[i] = j
                break
    return right


def _plate(image: NDArray[np.uint8], signs: tuple[int, int, int, int], edge: int) -> tuple[int, int, int, int] | None:
    """Return the box of the even plate that the signs fill, None where there is none or a wider one."""
    x0, y0, x1, y1 = signs
    height, width = image.shape[:2]
    cap = y1 - y0
    if y0 < 1 or y1 >= height or x0 < 1 or x1 >= width:
        return None
    color = _middle(image[[y0 - 1, y1], x0:x1].reshape(-1, image.shape[2]), axis=0)
    top = _until_edge(image[:y0, x0:x1][::-1], color, edge, cap, _PAD)
    if top is None:
        return None
    bottom = _until_edge(image[y1:, x0:x1], color, edge, cap, _PAD)
    if bottom is None:
        return None
    left = _until_edge(image[y0:y1, :x0].transpose(1, 0, 2)[::-1], color, edge, cap, _SIDE_PAD)
    right = _until_edge(image[y0:y1, x1:].transpose(1, 0, 2), color, edge, cap, _SIDE_PAD)
    if left is None or right is None:
        return None
    return x0 - left, y0 - top, x1 + right, y1 + bottom


def _until_edge(
    lines: NDArray[np.uint8], color: NDArray[np.float64], edge: int, cap: int, pad: tuple[float, float]
) -> int | None:
    """Return how many of `lines`, counted from the signs outwards, have the plate's colour; None unless `pad` allows it."""
    most = max(2, round(pad[1] * cap))
    even = np.abs(_middle(lines[: most + 1], axis=1) - color).max(axis=1) <= edge
    count = len(even) if even.all() else int(even.argmin())
    # At the frame the plate ends with the picture.
    ended = count < len(even) or len(lines) <= most
    return count if ended and max(1, round(pad[0] * cap)) <= count <= most else None


def _read(grey: NDArray[np.uint8], plate: tuple[int, int, int, int]) -> str | None:
    """Return what the plate says if our font's digits, or one of its capitals, look like it; None otherwise."""
    x0, y0, x1, y1 = plate
    shown = grey[y0:y1, x0:x1].astype(np.float32)
    high, wide = shown.shape
    signs = max(1, min(_MOST_SIGNS, round((wide / high - 0.28) / 0.69)))
    texts = tuple(_DIGITS + _LETTERS) if signs == 1 else tuple(digit * signs for digit in _DIGITS)
    # All digits are as wide, so that most plates are told by their size: comparing took most of the time.
    if high < _LEAST_PX or not any(_is_as_wide(wide, text, high) for text in texts):
        return None
    if signs > 1:
        read = (_DIGITS[int(_likeness(shown, texts, place).argmax())] for place in range(signs))
        texts = ("".join(read),)
    likeness = _likeness(shown, texts)
    best = int((likeness + [0.03 * text.isdigit() for text in texts]).argmax())  # 8 and B differ by less
    return texts[best] if _is_as_wide(wide, texts[best], high) and likeness[best] >= _ALIKE else None


def _is_as_wide(wide: int, text: str, high: int) -> bool:
    expected = label_width(text, high)
    return abs(wide - expected) <= max(2.0, _AS_WIDE * expected)


def _likeness(shown: NDArray[np.float32], texts: tuple[str, ...], place: int | None = None) -> NDArray[np.float32]:
    """Return how alike (0-1) a plate and each of our labels are, over all of it or over the sign at `place` only."""
    high, wide = shown.shape
    begin, end = _span(wide, len(texts[0]), place)
    part = shown[:, begin:end]
    other = (part - part.mean()).ravel()
    scale = float(np.linalg.norm(other))
    labels = _labels(texts, wide, high, place)
    return np.abs(labels @ other) / np.float32(scale) if scale > 0 else np.zeros(len(texts), np.float32)


def _span(wide: int, signs: int, place: int | None) -> tuple[int, int]:
    """The columns of a plate that the sign at `place` has, all of them for None."""
    return (0, wide) if place is None else (round(wide * place / signs), round(wide * (place + 1) / signs))


@lru_cache(maxsize=32)
def _labels(texts: tuple[str, ...], wide: int, high: int, place: int | None) -> NDArray[np.float32]:
    """Our labels at one size as rows (texts, pixels), each with a mean of 0 and a length of 1."""
    rows = []
    for text in texts:
        begin, end = _span(wide, len(text), place)
        ink = cv2.resize(_label(text), (wide, high), interpolation=cv2.INTER_AREA)[:, begin:end]
        flat = (ink - ink.mean()).ravel()
        length = float(np.linalg.norm(flat))
        rows.append(flat / length if length > 0 else flat)
    return np.asarray(rows, np.float32)


def _middle(pixels: NDArray[np.uint8], axis: int) -> NDArray[np.float64]:
    """The median along an axis: `np.median` takes ten times as long for the few pixels round a sign."""
    ordered = np.sort(pixels, axis=axis)
    half, odd = divmod(pixels.shape[axis], 2)
    upper: NDArray[np.float64] = ordered.take(half, axis=axis).astype(np.float64)
    return upper if odd else (upper + ordered.take(half - 1, axis=axis)) / 2


@lru_cache(maxsize=512)
def _label(text: str) -> NDArray[np.float32]:
    return label_ink(text, 44).astype(np.float32)
