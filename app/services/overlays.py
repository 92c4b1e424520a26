"""A marked picture in another style than its own: the same ids on the same regions, placed and painted anew.

Called by the route that shows overlays. Opens no transaction and knows no HTTP.
"""

import numpy as np
from numpy.typing import NDArray

from app.catalog.mark_sets import marking_of, regions_of
from app.catalog.marks import StoredMark
from app.catalog.tables import MarkSetRow
from app.errors import Unprocessable
from models.errors import BadInput
from models.marks import Previous, paint, place, style_of


def restyled(pixels: NDArray[np.uint8], row: MarkSetRow, marks: list[StoredMark], style: str) -> NDArray[np.uint8]:
    """Return `pixels` ((H, W, 3) uint8 RGB) with the marks of a set in `style`; raises Unprocessable for one that is unknown."""
    regions = regions_of((pixels.shape[0], pixels.shape[1]), marks)
    try:
        chosen = style_of(style)
    except BadInput as exc:
        raise Unprocessable(str(exc)) from None
    previous = Previous(regions=regions, marking=marking_of(row, marks, style_of(row.style)))
    # With the pixels, labels of interface elements keep off its text, as in the set's own style.
    return paint(pixels, regions, place(regions, chosen, previous=previous, image=pixels))
