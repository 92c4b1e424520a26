"""A promptable model as a segmenter: everything-mode or the caller's prompts. One subclass per model says how it loads.

Levels: SAM answers a point with three masks that tend to be a part of a part, a part and the whole, in this order, but
nothing in its training says so; granularity 1 to 6 chooses among them and is not Semantic-SAM's six learned levels.
Knows no settings and no network of its own: it is handed what is installed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.errors import OutOfMemory
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions
from models.segmenters.installed import Installed
from models.segmenters.loaded import LoadedOnce, regions_of, version_of
from models.segmenters.prompted import Asked, Prompted, prompted_regions

if TYPE_CHECKING:
    from models.segmenters.sam.network import Embedding
    from models.segmenters.sam.promptable import Promptable

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a granularity asks of SAM: outputs (1 part of a part, 2 part, 3 whole), grid and crops; one output per point."""

    outputs: tuple[int, ...]
    output: int | None
    points_per_side: int = 32
    crop_layers: int = 0


LEVELS = {
    None: Level(outputs=(1, 2, 3), output=None),  # the published generator's own defaults
    1: Level(outputs=(3,), output=3, points_per_side=16),
    2: Level(outputs=(3,), output=3),
    3: Level(outputs=(2, 3), output=2),
    4: Level(outputs=(1, 2, 3), output=2),
    5: Level(outputs=(1, 2), output=1),
    6: Level(outputs=(1, 2, 3), output=1, crop_layers=1),
}


class PromptableSegmenter:
    """Weights load at the first request; embeddings of the last pictures are kept."""

    name: str
    score_min = 0.88
    """Least predicted IoU in everything-mode: the published generator's default for this model."""

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._loaded = LoadedOnce(lambda: self.load(installed))

    @property
    def version(self) -> str:
        """Of this code and of the weights."""
        return version_of(self._installed.weights.get(self.name))

    def segment(self, image: Picture, request: SegmentRequest) -> Regions:
        """Return the regions of `image` ((H, W, 3) uint8 RGB): one per provided region in its order, else everything.

        A provided point, box or stroke is a prompt (a polygon or mask stands for its box); its id, text and role stay.
        Where the model finds nothing, the region is what was stated. Raises WeightsMissing, BadRegions or OutOfMemory.
        """
        return self.segment_batch([image], request)[0]

    def segment_batch(self, images: Sequence[Picture], request: SegmentRequest) -> list[Regions]:
        """The same for several pictures; on an accelerator they share forward passes of the encoder."""
        loaded = self._loaded.get()
        from torch.cuda import OutOfMemoryError

        from models.segmenters.sam.everything import pictures_at_once

        level = LEVELS[min(max(request.granularity, 1), 6) if request.granularity is not None else None]
        at_once = pictures_at_once(loaded.network)
        found = []
        try:
            for at in range(0, len(images), at_once):
                some = images[at : at + at_once]
                for image, embedding in zip(some, loaded.embeddings.of(some), strict=True):
                    if request.provided:
                        found.append(_prompted(loaded.network, image, embedding, request.provided, level))
                    else:
                        found.append(_everything(loaded.network, image, embedding, level, self.score_min))
        except OutOfMemoryError:
            raise OutOfMemory("the picture does not fit in the accelerator's memory beside the model") from None
        return found

    def load(self, installed: Installed) -> "Promptable":
        """Load the model on the best device at hand; raises WeightsMissing."""
        raise NotImplementedError


def _everything(
    network: "Promptable", image: Picture, embedding: "Embedding", level: Level, score_min: float
) -> Regions:
    from models.segmenters.sam.everything import Everything, find_everything

    settings = Everything(
        outputs=level.outputs,
        score_min=score_min,
        points_per_side=level.points_per_side,
        crop_layers=level.crop_layers,
        crop_points_divisor=2,
    )
    return regions_of(find_everything(network, image, settings, whole=embedding))


def _prompted(
    network: "Promptable", image: Picture, embedding: "Embedding", provided: Sequence[ProvidedRegion], level: Level
) -> Regions:
    from models.segmenters.sam.prompting import answered, prompt_of

    def answer(asked: Asked) -> list[Prompted]:
        found = answered(network, embedding, [prompt_of(region, shape, level.output) for region, shape in asked])
        return [Prompted(runs=item.mask.runs, score=item.score) for item in found]

    return prompted_regions(image, provided, answer)
