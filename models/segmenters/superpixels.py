"""Cuts a picture into thousands of small areas along its edges, and says how strong every edge is.

Used by `models.segmenters.regions`. The edge map is a gradient of colour at three scales, less what is usual around a
pixel, so that grass has no edges and a face in front of it has; areas are its catchment basins. Vectorised NumPy: 0.07 s
of one core for 480 x 360 pixels. Knows nothing of what the areas are for.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIGMAS_PX = (1.0, 2.0, 4.0)
# A step in colour counts more than one in brightness: shadows have none.
_CHANNELS = np.array([1.0, 1.6, 1.6], np.float32)
# Inhibition by the surround, as cells of the visual cortex do it (Grigorescu, Petkov and Westenberg 2003); a little of
# the whole gradient stays, so that the border of a textured thing is not lost.
_INHIBITION, _REST, _SURROUND_PX = 0.6, 0.15, 21
_FLAT = 0.05

Field = NDArray[np.float32]  # (H, W)
Labels = NDArray[np.int32]  # (H, W)


def edge_strength(lab: NDArray[np.float32]) -> Field:
    """Return how strong the edge through each pixel of a picture ((H, W, 3) float32 CIELAB) is, 0 for none."""
    total = np.zeros(lab.shape[:2], np.float32)
    for sigma in _SIGMAS_PX:
        blurred = cv2.GaussianBlur(lab, (0, 0), sigma)
        across = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        down = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        total += np.sqrt(across * across + down * down) @ _CHANNELS * np.float32(sigma**0.5)
    usual = cv2.blur(total, (_SURROUND_PX, _SURROUND_PX))
    return np.asarray(np.maximum(total - _INHIBITION * usual, 0) + _REST * total, np.float32)


def basins(edges: Field) -> Labels:
    """Return the catchment basins of an edge map: labels (H, W) from 0, each a connected area round a local minimum.

    Every pixel points to its lowest neighbour, and pointers are followed to their ends; even ground is one basin.
    """
    height, width = edges.shape
    padded = np.pad(edges, 1, constant_values=np.inf)
    lowest = edges.copy()
    place = np.arange(height * width, dtype=np.int32).reshape(height, width)
    target = place.copy()
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        neighbour = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        lower = neighbour < lowest
        lowest = np.where(lower, neighbour, lowest)
        target = np.where(lower, place + np.int32(dy * width + dx), target)
    ends = target.ravel()
    _, even = cv2.connectedComponents((edges <= _FLAT).astype(np.uint8), connectivity=4)
    names, first = np.unique(even, return_index=True)
    on_even = even.ravel() > 0
    lookup = np.zeros(int(names[-1]) + 1, np.int32)
    lookup[names] = first
    ends[on_even] = lookup[even.ravel()[on_even]]
    while not np.array_equal(further := ends[ends], ends):
        ends = further
    _, labels = np.unique(ends, return_inverse=True)
    return np.asarray(labels.reshape(height, width), np.int32)
