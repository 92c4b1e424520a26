"""Scores pictures by how surely marks are painted on them: SoM-LLaVA looked at the first 2,000 by eye.

Called by the commands, the job and the check; the caller decodes. Knows no file.
"""

import numpy as np
from numpy.typing import NDArray

from models.finder.net import HIGHEST, Finder, looked_at
from models.finder.ranking import Found
from models.finder.tiles import TILE_PX, cut


def scored(finder: Finder, name: str, image: NDArray[np.uint8]) -> Found:
    """Score one picture, (H, W, 3) uint8 RGB."""
    tiles = cut(image)
    best, box = -np.inf, (0.0, 0.0, 0.0, 0.0)
    patch = TILE_PX / finder.grid
    for (left, top), logits in zip(tiles.corners_xy_px, looked_at(finder, tiles.pixels), strict=True):
        score = float(np.sort(logits, axis=None)[-HIGHEST:].mean())
        if score > best:
            best = score
            row, column = (int(value) for value in np.unravel_index(int(logits.argmax()), logits.shape))
            corner = left + column * patch, top + row * patch
            x, y = corner[0] / tiles.scale, corner[1] / tiles.scale
            box = (x, y, x + patch / tiles.scale, y + patch / tiles.scale)
    return Found(name=name, score=float(1 / (1 + np.exp(-best))), bbox_xyxy_px=box)
