"""What every patch of a painted picture shows: the dense truth that teaches the vision tower to read marks.

For each of the 14 x 14 patches: the mark of the object that covers it, its kind and colour, and the digits of the tag
on it. Called when a pool is drawn. The tag is found in the painted picture by its own pixels, so this module needs to
know nothing of how places for tags are chosen.
"""

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.drawings import words
from models.marks.labels import label_ink
from models.regions import Regions
from models.tiny.config import GRID, INPUT_PX, PATCH_PX

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The last (or only) sign of a mark: 1-10 for digits, 11-36 for letters; class 0 is "nothing here".
LAST_SIGNS: Final = "0123456789" + LETTERS
# Per column: number of classes; class 1 of the tens is "one sign only".
COLUMNS: Final = {"tens": 11, "ones": 37, "kind": 15, "color": 11, "tag_tens": 11, "tag_ones": 37}
MIN_COVER: Final = 0.25
LABEL_HEIGHTS_PX: Final = (16, 15, 14, 13, 12, 11, 10)
# Squared difference per pixel under which a tag counts as found; a leader line may cross it.
TAG_TOLERANCE: Final = 900.0

Labels = NDArray[np.uint8]  # (196, 6)


def signs(mark_id: str) -> tuple[int, int]:
    """Classes of the tens and of the last sign of a mark id: 1 to 99, or A to Z."""
    tens = 1 if len(mark_id) == 1 else int(mark_id[0]) + 1
    return tens, LAST_SIGNS.index(mark_id[-1]) + 1


def patch_labels(
    painted: NDArray[np.uint8],
    regions: Regions,
    ids: Sequence[str],
    names: Sequence[str],
    picture_hw: tuple[int, int],
    moved: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda plane: plane,
) -> Labels:
    """Labels of a painted square (224, 224, 3) that was fitted from a picture of `picture_hw`.

    `moved` is what is done to the painted picture afterwards, for planes (224, 224) of numbers.
    """
    labels = np.zeros((GRID * GRID, len(COLUMNS)), np.uint8)
    owner = moved(_owner_map(regions, picture_hw))
    cover = (
        np.stack([_per_patch(owner == i + 1) for i in range(len(regions))])
        if len(regions)
        else np.zeros((1, GRID * GRID))
    )
    best, share = cover.argmax(0), cover.max(0)
    grey = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    for i, (mark_id, name) in enumerate(zip(ids, names, strict=True)):
        color, kind = name.split(" ", 1)
        tag = _per_patch(moved(_tag_mask(grey, mark_id).astype(np.uint8)) > 0)
        mine = ((best == i) & (share >= MIN_COVER)) | ((tag > MIN_COVER) & (share < MIN_COVER))
        labels[mine, :2] = signs(mark_id)
        labels[mine, 2:4] = words.KINDS.index(kind) + 1, words.COLORS.index(color) + 1
        labels[tag > MIN_COVER, 4:] = signs(mark_id)
    return labels


def _owner_map(regions: Regions, picture_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """(224, 224) index + 1 of the region at each pixel, fitted and padded as the picture was."""
    owner = np.zeros(picture_hw, np.uint8)
    for i in range(len(regions)):
        (x0, y0), crop = regions.crop(i)
        owner[y0 : y0 + crop.shape[0], x0 : x0 + crop.shape[1]][crop] = i + 1
    ratio = INPUT_PX / max(picture_hw)
    high, wide = max(1, round(picture_hw[0] * ratio)), max(1, round(picture_hw[1] * ratio))
    fitted = np.zeros((INPUT_PX, INPUT_PX), np.uint8)
    top, left = (INPUT_PX - high) // 2, (INPUT_PX - wide) // 2
    fitted[top : top + high, left : left + wide] = cv2.resize(owner, (wide, high), interpolation=cv2.INTER_NEAREST)
    return fitted


def _per_patch(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(224, 224) -> (196,) share of each patch."""
    patches = mask.reshape(GRID, PATCH_PX, GRID, PATCH_PX)
    return np.asarray(patches.mean((1, 3), dtype=np.float64).reshape(-1))


def _tag_mask(grey: NDArray[np.uint8], mark_id: str) -> NDArray[np.bool_]:
    """(224, 224) where the tag of `mark_id` stands; empty if it cannot be found."""
    found = np.zeros(grey.shape, np.bool_)
    for height in LABEL_HEIGHTS_PX:
        ink = label_ink(mark_id, height)
        distance = cv2.matchTemplate(grey, ink, cv2.TM_SQDIFF) / ink.size
        lowest, _, (x, y), _ = cv2.minMaxLoc(distance)
        if lowest < TAG_TOLERANCE:
            found[y : y + ink.shape[0], x : x + ink.shape[1]] = True
            break
    return found
