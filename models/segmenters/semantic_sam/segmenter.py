"""The `semantic-sam` segmenter: everything at one or several of six learned levels, or the caller's prompts.

Named by `models.registry`. Masks are found on the picture at short side 640, as published, and scaled to its own size.
Knows no settings and no network of its own: it is handed what is installed.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models import rle
from models.errors import OutOfMemory
from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters.installed import Installed
from models.segmenters.loaded import LoadedOnce, regions_of, version_of
from models.segmenters.prompted import Asked, Prompted, prompted_regions
from models.segmenters.semantic_sam.levels import LEVELS, level_set
from models.weights import located, state_of

if TYPE_CHECKING:
    from models.segmenters.sam.network import Embedding
    from models.segmenters.semantic_sam.everything import Found
    from models.segmenters.semantic_sam.network import SemanticSam

Picture = NDArray[np.uint8]

NAMES = ("semantic-sam-swin-t", "semantic-sam-swin-l")
# Swin-L at 640 x 853 takes about 2 GB a picture.
_PICTURES_AT_ONCE = 8
_log = logging.getLogger(__name__)


class SemanticSamSegmenter:
    """Weights load at the first request; embeddings of the last pictures are kept."""

    name = "semantic-sam"

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._loaded = LoadedOnce(lambda: load(installed))

    @property
    def version(self) -> str:
        """Of this code and of the weights."""
        return version_of(self._installed.weights.get(self.name))

    def segment(self, image: Picture, request: SegmentRequest) -> Regions:
        """Return the regions of `image` ((H, W, 3) uint8 RGB): one per provided region in its order, else everything.

        `granularity` is the level, 1 (coarsest) to 6 (finest), `levels` a set of them; without either all six are asked,
        and a prompt gets the surest of its six masks. A provided point is a click, a box, polygon or mask a click on its
        box, a stroke a click on its middle. Raises WeightsMissing, BadRegions, BadInput or OutOfMemory.
        """
        return self.segment_batch([image], request)[0]

    def segment_batch(self, images: Sequence[Picture], request: SegmentRequest) -> list[Regions]:
        """The same for several pictures; on an accelerator those alike in size share forward passes of the encoder."""
        import torch

        levels = levels_of(request)
        found = []
        with torch.inference_mode():
            try:
                for image, embedding, network in self._encoded(images):
                    if request.provided:
                        found.append(_prompted(network, image, embedding, request))
                    else:
                        found.append(regions_of(_everything(network, embedding, levels)).scaled(embedding.size_hw))
            except torch.cuda.OutOfMemoryError:
                raise OutOfMemory("the picture does not fit in the accelerator's memory beside the model") from None
        return found

    def everything(self, image: Picture, levels: Sequence[int]) -> Regions:
        """Return all masks of `image` ((H, W, 3) uint8 RGB) at these levels, on the frame that the network saw.

        Raises WeightsMissing, BadInput.
        """
        import torch

        wanted = level_set(levels)
        with torch.inference_mode():
            _, embedding, network = next(iter(self._encoded([image])))
            return regions_of(_everything(network, embedding, wanted))

    def _encoded(self, images: Sequence[Picture]) -> "list[tuple[Picture, Embedding, SemanticSam]]":
        loaded = self._loaded.get()
        at_once = 1 if loaded.network.device.type == "cpu" else _PICTURES_AT_ONCE
        return [
            (image, embedding, loaded.network)
            for at in range(0, len(images), at_once)
            for image, embedding in zip(
                images[at : at + at_once], loaded.embeddings.of(images[at : at + at_once]), strict=True
            )
        ]


def levels_of(request: SegmentRequest) -> tuple[int, ...]:
    """Return the levels that a request means; raises BadInput."""
    if request.levels:
        return level_set(request.levels)
    return LEVELS if request.granularity is None else (min(max(request.granularity, 1), 6),)


def load(installed: Installed) -> "SemanticSam":
    """Read what MARKWISE_SEMANTIC_SAM_WEIGHTS names; on an accelerator backbone and pixel decoder run in bfloat16."""
    import torch

    from models.segmenters.semantic_sam.checkpoint import build
    from models.segmenters.semantic_sam.rehearsal import RANDOM, random_network

    given = installed.weights.get(SemanticSamSegmenter.name)
    if given in RANDOM:
        _log.warning("semantic-sam runs with random weights (%s): its marks mean nothing", given)
        network = random_network(RANDOM[given])
    else:
        setting = installed.setting(SemanticSamSegmenter.name)
        network = build(state_of(located(given, setting=setting, cache=installed.cache, names=NAMES)))
    if torch.cuda.is_available():
        network = network.to("cuda").in_precision(torch.bfloat16)
    if installed.compiled:
        network.backbone.compile()
    return network


def _everything(network: "SemanticSam", embedding: "Embedding", levels: tuple[int, ...]) -> "Found":
    from models.segmenters.semantic_sam.everything import Everything, find_everything

    return find_everything(network.prompted(embedding), Everything(levels=levels))


def _prompted(network: "SemanticSam", image: Picture, embedding: "Embedding", request: SegmentRequest) -> Regions:
    from models.segmenters.sam.prompting import along
    from models.segmenters.semantic_sam.clicking import chosen, click, click_box

    picture = network.prompted(embedding)
    size_wh = np.array(embedding.size_hw[::-1], np.float64)
    seen_wh = np.array(picture.size_hw[::-1], np.float64)
    level = None if request.granularity is None else levels_of(request)[0]

    def answer(asked: Asked) -> list[Prompted]:
        answers = []
        for region, shape in asked:
            hits = np.zeros((0, 2))
            if region.point_xy_px is not None:
                masks = click(picture, tuple(np.array(region.point_xy_px) / size_wh))
            elif region.stroke_px is not None:
                hits = along(region.stroke_px, embedding.size_hw)
                masks = click(picture, tuple(hits[len(hits) // 2] / size_wh))
            else:
                masks = click_box(picture, shape.boxes_xyxy_px[0] / np.tile(size_wh, 2))
            mask = chosen(masks, level, hits / size_wh * seen_wh, picture.size_hw)
            seen = Regions.from_rles(
                picture.size_hw, [{"size": list(picture.size_hw), "counts": rle.write_counts(mask.runs)}]
            )
            answers.append(Prompted(runs=seen.scaled(embedding.size_hw).runs[0], score=mask.score))
        return answers

    return prompted_regions(image, request.provided, answer)
