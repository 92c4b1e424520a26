"""Names the colours of a part of a picture, as an instruction does: "the blue button". Called by `grounding.scene`.

A rule on hue, saturation and value; nothing learned.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

# Share of a box that a colour must take to name it: the ink of a link or of an icon is a twentieth of its box.
_PLAIN_SHARE, _VIVID_SHARE = 0.35, 0.04
_GREY_SATURATION, _BLACK_VALUE, _WHITE_VALUE = 50, 60, 225
_MOST_PIXELS = 20_000
# Upper ends of OpenCV's hue (0-179) for each name; red closes the circle.
_HUES = (
    (9, "red"),
    (21, "orange"),
    (34, "yellow"),
    (83, "green"),
    (97, "turquoise"),
    (128, "blue"),
    (152, "purple"),
    (170, "pink"),
    (180, "red"),
)


def colors_of(image: NDArray[np.uint8], bbox_xyxy_px: tuple[float, float, float, float]) -> dict[str, float]:
    """Return the colours that a box of `image` ((H, W, 3) uint8 RGB) shows, each with its share; "brown" is a dark orange."""
    height, width = image.shape[:2]
    x0, y0 = (max(0, int(value)) for value in bbox_xyxy_px[:2])
    x1, y1 = min(width, max(x0 + 1, int(bbox_xyxy_px[2]))), min(height, max(y0 + 1, int(bbox_xyxy_px[3])))
    part = image[y0:y1, x0:x1]
    if not part.size:
        return {}
    step = max(1, int((part.shape[0] * part.shape[1] / _MOST_PIXELS) ** 0.5))
    hue, saturation, value = (
        cv2.cvtColor(np.ascontiguousarray(part[::step, ::step]), cv2.COLOR_RGB2HSV).reshape(-1, 3).T
    )
    pale = saturation < _GREY_SATURATION
    dark = value < _BLACK_VALUE
    found = {
        "black": (dark, _PLAIN_SHARE),
        "white": (pale & (value >= _WHITE_VALUE), _PLAIN_SHARE),
        "grey": (pale & ~dark & (value < _WHITE_VALUE), _PLAIN_SHARE),
    }
    vivid = ~pale & ~dark
    brown = vivid & (hue < _HUES[1][0]) & (hue >= 4) & (value < 165)
    found["brown"] = (brown, _VIVID_SHARE)
    low = 0
    for high, name in _HUES:
        here = vivid & ~brown & (hue >= low) & (hue < high)
        found[name] = (here | found[name][0] if name in found else here, _VIVID_SHARE)
        low = high
    shares = {name: (float(where.mean()), least) for name, (where, least) in found.items()}
    return {name: share for name, (share, least) in shares.items() if share >= least}
