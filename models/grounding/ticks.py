"""Whether a tick box, a radio button or a switch is on, by its pixels alone. Called by `models.grounding.scene`; knows no model.

Only shapes that are plainly one or the other are told: a wrong answer would leave undone what was asked for, or undo it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.ranking.places import TICK_ROLES

_BOX_PX = (8, 64)
_LONGEST, _SHORTEST = (
    1.35,
    0.74,
)  # width by height of a square or a disc; the frame of a knob is 1.4 to 2.8 as wide as high
_SWITCH = (1.4, 2.8)
_EVEN = 18  # grey levels within an empty box
_DRAWN = 45
_OFF_CENTRE = 0.12


def is_on(image: NDArray[np.uint8], box: tuple[float, float, float, float], role: str | None) -> bool | None:
    """Return whether the control in `box` of `image` ((H, W, 3) RGB) is on; None where pixels do not tell or it is none.

    A box or a ring is on if something is drawn in it, a switch if its knob is on the right.
    """
    x0, y0, x1, y1 = (round(value) for value in box)
    crop = image[max(y0, 0) : y1, max(x0, 0) : x1]
    high, wide = crop.shape[:2]
    if role not in TICK_ROLES or not (_BOX_PX[0] <= high <= _BOX_PX[1] and wide >= _BOX_PX[0]):
        return None
    if _SHORTEST <= wide / high <= _LONGEST:
        return _holds_a_sign(crop)
    return _knob_is_right(crop) if _SWITCH[0] <= wide / high <= _SWITCH[1] else None


def _holds_a_sign(crop: NDArray[np.uint8]) -> bool | None:
    """True where a tick or a dot stands in the middle, False where the middle is even and like paper, else None."""
    high, wide = crop.shape[:2]
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    inner = grey[round(0.28 * high) : round(0.72 * high), round(0.28 * wide) : round(0.72 * wide)]
    spread = int(np.percentile(inner, 96)) - int(np.percentile(inner, 4))
    if spread >= _DRAWN:
        return True
    colour = crop[round(0.28 * high) : round(0.72 * high), round(0.28 * wide) : round(0.72 * wide)].reshape(-1, 3)
    vivid = int(np.ptp(np.median(colour, axis=0)))
    # An even plate in a colour may be a tick that is too fine, or an empty box of a colourful page.
    return False if spread <= _EVEN and vivid < _DRAWN else None


def _knob_is_right(crop: NDArray[np.uint8]) -> bool | None:
    """True where the disc on the track lies right of the middle, False where left; None where there is no such disc."""
    high, wide = crop.shape[:2]
    track = crop[round(0.2 * high) : max(round(0.8 * high), 1), round(0.12 * wide) : max(round(0.88 * wide), 1)]
    grey = cv2.cvtColor(track, cv2.COLOR_RGB2GRAY).astype(np.int16)
    columns = np.median(grey, axis=0)
    low, high_level = float(columns.min()), float(columns.max())
    if high_level - low < _EVEN:
        return None
    bright = columns > (low + high_level) / 2
    # The knob is the shorter stretch of the two, and it lies at one end.
    knob = bright if bright.sum() <= len(bright) / 2 else ~bright
    where = np.flatnonzero(knob)
    if not len(where) or where[-1] - where[0] + 1 != len(where):
        return None
    middle = float(where.mean() + 0.5) / len(columns)
    return None if abs(middle - 0.5) < _OFF_CENTRE else middle > 0.5
