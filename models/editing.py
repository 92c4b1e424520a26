"""What a person changes about regions, besides one region's box and words: several become one, one becomes several, some go, some come.

Pure functions on `Regions`; nothing is painted and no id of a mark is chosen here. Called by `app.services.corrections`.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadRegions
from models.regions import Regions

Points = Sequence[Sequence[float]]

# Of what a cut leaves, crumbs under this share of the region are no regions.
SMALLEST_PART = 0.01


def without(regions: Regions, indices: Sequence[int]) -> Regions:
    """Return all regions but those at `indices`, in their order."""
    gone = set(indices)
    return regions.take([i for i in range(len(regions)) if i not in gone])


def merged(regions: Regions, indices: Sequence[int], text: str | None = None) -> Regions:
    """Return the regions with those at `indices` united in the place of the first.

    The union keeps the first's id and role, the best score, and `text`, or else the texts there are, in their order. Raises
    BadRegions for fewer than two regions.
    """
    chosen = list(dict.fromkeys(indices))
    if len(chosen) < 2:
        raise BadRegions("merging takes two marks or more")
    first = chosen[0]
    mask = np.logical_or.reduce([regions.mask(i) for i in chosen])
    words = " ".join(known for i in chosen if (known := regions.texts[i]))
    roles = [known for i in chosen if (known := regions.roles[i])]
    union = Regions.from_masks(
        regions.size_hw,
        [mask],
        scores=[max(float(regions.scores[i]) for i in chosen)],
        texts=[words or None if text is None else text],
        roles=[roles[0] if roles else None],
        ids=[regions.ids[first]],
    )
    return _in_place(regions, first, union, also_gone=chosen)


def split(regions: Regions, index: int, line_px: Points | None = None) -> Regions:
    """Return the regions with the one at `index` cut along the line of [x, y] points, or into its separate parts without one.

    Parts come largest first, each with the region's text, role and score; the first keeps its id. Crumbs under `SMALLEST_PART` of
    the region, and what the line itself covers, go to the nearest part. Raises BadRegions where nothing is parted.
    """
    mask = regions.mask(index)
    parts = _parts(mask, line_px)
    if len(parts) < 2:
        raise BadRegions(
            "the line does not part this region: draw it right across"
            if line_px
            else "this region has no separate parts; give a line to cut along"
        )
    ids = [regions.ids[index], *(f"{regions.ids[index]}.{n}" for n in range(2, len(parts) + 1))]
    pieces = Regions.from_masks(
        regions.size_hw,
        parts,
        scores=[float(regions.scores[index])] * len(parts),
        texts=[regions.texts[index]] * len(parts),
        roles=[regions.roles[index]] * len(parts),
        ids=ids,
    )
    return _in_place(regions, index, pieces, also_gone=[index])


def added(regions: Regions, more: Regions) -> Regions:
    """Return the regions and, after them, `more`; raises BadRegions where nothing of it lies in the image."""
    if not len(more):
        raise BadRegions("nothing of the new region lies in the image")
    return Regions.concat(regions, more) if len(regions) else more


def _in_place(regions: Regions, index: int, new: Regions, *, also_gone: Sequence[int]) -> Regions:
    gone = set(also_gone)
    before = regions.take([i for i in range(index) if i not in gone])
    after = regions.take([i for i in range(index + 1, len(regions)) if i not in gone])
    return Regions.concat(*(part for part in (before, new, after) if len(part)))


def _parts(mask: NDArray[np.bool_], line_px: Points | None) -> list[NDArray[np.bool_]]:
    """The parts of a (H, W) mask, largest first; what the cut itself took is given to the part that is nearest."""
    open_ = mask.astype(np.uint8)
    if line_px:
        points = np.floor(np.array(line_px, np.float64)).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(open_, [points], isClosed=False, color=0, thickness=2)
    # Four neighbours: a diagonal cut of two pixels parts what lies on its sides.
    count, labels, stats, _ = cv2.connectedComponentsWithStats(open_, connectivity=4)
    least = SMALLEST_PART * int(mask.sum())
    kept = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= max(1.0, least)]
    kept.sort(key=lambda n: -int(stats[n, cv2.CC_STAT_AREA]))
    if len(kept) < 2:
        return []
    distances = [cv2.distanceTransform((labels != n).astype(np.uint8), cv2.DIST_L2, 3) for n in kept]
    nearest = np.argmin(distances, axis=0)
    return [mask & (nearest == place) for place in range(len(kept))]
