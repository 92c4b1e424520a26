"""Corrects the detector's roles where pixels are surer: shapes of tick boxes, the arrow of a drop-down list."""

import numpy as np
from numpy.typing import NDArray

from models.ranking.places import TICK_ROLES
from models.segmenters.detected.signs import ends_in_arrow, tick_shape
from models.segmenters.ocr import Box

# The network's own names, in the words of ARIA.
_SPOKEN = {"icon-button": "button", "other": "generic"}


def refined_role(
    role: str,
    box: Box,
    image: NDArray[np.uint8],
    edges: NDArray[np.bool_],
    em: float,
    *,
    text_right_px: float | None = None,
) -> str:
    """Return the role of an element of `image` (H, W, 3) with its `edges` (H, W); `text_right_px` is where its text ends."""
    small = max(box[2] - box[0], box[3] - box[1]) <= 2.6 * em
    if small and role in TICK_ROLES:
        return tick_shape(image, box) or role
    if role == "textbox" and ends_in_arrow(edges, box, em, text_right_px):
        return "combobox"
    return _SPOKEN.get(role, role)
