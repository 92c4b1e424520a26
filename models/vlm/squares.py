"""The square that a LLaVA sees: padded first, then scaled, so that no mark at an edge is ever cut away.

Called by the trainer and by whoever serves a checkpoint, so that both see the same pixels. LLaVA-1.5 learnt on pictures
padded with CLIP's mean colour (its `pad` mode); the library's processor cuts the middle out instead. Knows no marks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def pad_colour(mean: Sequence[float]) -> tuple[int, int, int]:
    """The mean of 0 to 1 as a colour that becomes (nearly) zero after normalising; CLIP's is (122, 116, 104)."""
    red, green, blue = (int(255 * value) for value in mean)
    return red, green, blue


def to_square(image: NDArray[np.uint8], size_px: int, mean: Sequence[float]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 -> (size_px, size_px, 3): centred on the long side's square at (long - short) // 2, then bicubic."""
    height, width = image.shape[:2]
    side = max(height, width)
    if height != width:
        canvas = np.empty((side, side, 3), np.uint8)
        canvas[...] = pad_colour(mean)
        top, left = (side - height) // 2, (side - width) // 2
        canvas[top : top + height, left : left + width] = image
        image = canvas
    if side == size_px:
        return image
    return np.asarray(Image.fromarray(image).resize((size_px, size_px), Image.Resampling.BICUBIC))


def normalised(squares: NDArray[np.uint8], mean: Sequence[float], deviation: Sequence[float]) -> NDArray[np.float32]:
    """(..., S, S, 3) uint8 -> (..., 3, S, S) float32, scaled to 0-1 and normalised."""
    centred = squares.astype(np.float32) / np.float32(255) - np.array(mean, np.float32)
    return np.ascontiguousarray(np.moveaxis(centred / np.array(deviation, np.float32), -1, -3), dtype=np.float32)
