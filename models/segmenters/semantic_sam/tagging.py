"""Tags as SoM-LLaVA made them (Yan et al. 2024, section 4.1 and its program): which regions of a picture get one.

The picture is split at short side 640 with level 2 for training and level 1 for inference; from the smallest to the largest
region, what smaller ones took is taken away, and what keeps fewer than 110 pixels gets no tag. Painting is the style
`som-llava`. Called by the command line. Loads no torch by itself; knows no files.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.regions import Regions

LEAST_PX = 110
STYLE = {"name": "som-llava", "min_area_px": 0}
"""The regions are chosen at short side 640 already, as published, not on the picture's own frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What the paper tagged a kind of picture with."""

    levels: tuple[int, ...]


PRESETS = {"som-llava-training": Preset(levels=(2,)), "som-llava-inference": Preset(levels=(1,))}


class LevelSegmenter(Protocol):
    """Finds everything at learned levels."""

    def everything(self, image: NDArray[np.uint8], levels: tuple[int, ...]) -> Regions:
        """Return the masks on the frame that its network saw, short side 640."""
        ...


def tagged_regions(image: NDArray[np.uint8], preset: Preset, segmenter: LevelSegmenter) -> Regions:
    """Return the regions of `image` ((H, W, 3) uint8 RGB) that get a tag, smallest first, whole, on its own frame.

    Raises WeightsMissing.
    """
    return worth_a_tag(segmenter.everything(image, preset.levels)).scaled((image.shape[0], image.shape[1]))


def worth_a_tag(regions: Regions, least_px: int = LEAST_PX) -> Regions:
    """Return the regions, smallest first, of which smaller ones leave at least `least_px` pixels; equals in their order.

    A region too small for a tag takes its pixels from larger ones all the same, as in the published program.
    """
    taken = np.zeros(regions.size_hw, np.bool_)
    kept = []
    for index in sorted(range(len(regions)), key=regions.area_px):
        (x0, y0), mask = regions.crop(index)
        window = taken[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
        if np.count_nonzero(mask & ~window) >= least_px:
            kept.append(index)
        window |= mask
    return regions.take(kept)
