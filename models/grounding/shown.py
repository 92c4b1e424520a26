"""Pictures painted at a model's own size, kept as long as the clean picture lives: painting one costs 15 ms of CPU, asking again nothing.

Called by `scene`. Only for pictures that cannot change, which are those that the API keeps in memory between questions.
"""

import weakref
from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_MOST = 4  # selections of marks per picture: all of them, and the shortlists of the last questions


class ShownPictures:
    """Safe to share between threads; two may paint the same one at once."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._kept: dict[int, tuple[weakref.ref[Picture], dict[Hashable, tuple[object, Picture]]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, image: Picture, marking: object, key: Hashable, paint: Callable[[], Picture]) -> Picture:
        """Return what `paint` makes of `image` with this very `marking`; `key` is what else it depends on. Read-only if it is kept."""
        if image.flags.writeable or not image.flags.owndata:
            return paint()
        number = id(image)
        kept = self._kept.get(number)
        if kept is None or kept[0]() is not image:
            kept = self._kept[number] = (weakref.ref(image, lambda _gone: self._kept.pop(number, None)), {})
        known = kept[1].get(key)
        if known is not None and known[0] is marking:
            return known[1]
        painted = paint()
        if not painted.flags.owndata:
            painted = painted.copy()
        painted.setflags(write=False)
        if len(kept[1]) >= _MOST:
            kept[1].clear()
        kept[1][key] = (marking, painted)
        return painted
