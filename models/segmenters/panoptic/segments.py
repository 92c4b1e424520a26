"""Queries of a mask classification network (MaskFormer family) -> disjoint regions, and the segmenter round it.

The merging is Cheng et al. 2021 (MaskFormer), section 3.4: sure queries claim the pixels where their probability times
mask is the largest; one that loses most of its own mask to others goes. A model's own small file says how it loads.
"""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.errors import OutOfMemory
from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters.installed import Installed
from models.segmenters.sums import sum_of

if TYPE_CHECKING:
    from torch import Tensor

Picture = NDArray[np.uint8]
Forward = Callable[["Tensor"], tuple["Tensor", "Tensor"]]
"""Pixels (1, 3, H, W) -> class logits (Q, C + 1) and mask logits (Q, h, w), both float32."""

_SURE = 0.5
_KEPT_SHARE = 0.8
_SHORT_PX, _LONG_PX, _MULTIPLE_PX = 800, 1333, 32
_MEAN_RGB, _STD_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PanopticSegmenter:
    """One region per thing or stuff segment, with its class as the role; granularity and prompts change nothing."""

    name: str

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._lock = threading.Lock()
        self._model: tuple[Any, Forward] | None = None

    @property
    def version(self) -> str:
        """Of this code and of the weights."""
        given = self._installed.weights.get(self.name)
        return "1+none" if given is None else f"1+{Path(given).stem}-{sum_of(given)}"

    def load(self, installed: Installed) -> tuple[Any, Forward]:
        """Return the model and how to call it; raises WeightsMissing."""
        raise NotImplementedError

    def segment(self, image: Picture, request: SegmentRequest) -> Regions:
        """Return disjoint regions of `image` ((H, W, 3) uint8 RGB), most certain first; raises WeightsMissing."""
        with self._lock:
            if self._model is None:
                self._model = self.load(self._installed)
        model, forward = self._model
        import torch

        try:
            with torch.no_grad():
                classes, masks = forward(pixels_of(image, model, Path(self._installed.weights[self.name])))
                return merged(classes, masks, (image.shape[0], image.shape[1]), model.config.id2label)
        except torch.cuda.OutOfMemoryError:
            raise OutOfMemory("the picture does not fit in the accelerator's memory beside the model") from None


def pixels_of(image: Picture, model: Any, folder: Path) -> "Tensor":
    """Scale (short side 800 px, long side at most 1333, multiples of 32) and normalise: (1, 3, H, W) on the model's device."""
    import torch
    from PIL import Image

    file = folder / "preprocessor_config.json"
    read = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    size = read.get("size", {})
    short, long = size.get("shortest_edge", _SHORT_PX), size.get("longest_edge", _LONG_PX)
    scale = min(short / min(image.shape[:2]), long / max(image.shape[:2]))
    wide, high = (
        max(1, round(side * scale / _MULTIPLE_PX)) * _MULTIPLE_PX for side in (image.shape[1], image.shape[0])
    )
    scaled = np.array(Image.fromarray(image).resize((wide, high), Image.Resampling.BILINEAR), np.float32) / 255
    normal = (scaled - read.get("image_mean", _MEAN_RGB)) / read.get("image_std", _STD_RGB)
    pixels = torch.from_numpy(normal.astype(np.float32)).permute(2, 0, 1)[None]
    return pixels.to(model.device, model.dtype)


def merged(classes: "Tensor", masks: "Tensor", size_hw: tuple[int, int], labels: dict[int, str]) -> Regions:
    """Return the regions of class logits (Q, C + 1) and mask logits (Q, h, w); the last class is "nothing"."""
    import torch

    scores, kinds = classes.softmax(dim=-1).max(dim=-1)
    sure = (kinds != classes.shape[-1] - 1) & (scores > _SURE)
    order = torch.argsort(scores[sure], descending=True, stable=True)
    scores, kinds, chosen = scores[sure][order], kinds[sure][order], masks[sure][order]
    if not len(chosen):
        return Regions.empty(size_hw)
    large = torch.nn.functional.interpolate(chosen[None], size_hw, mode="bilinear", align_corners=False)[0].sigmoid()
    owner = (large * scores[:, None, None]).argmax(dim=0).cpu().numpy()
    own = (large >= 0.5).cpu().numpy()
    found: list[tuple[int, NDArray[np.bool_]]] = []
    for index in range(len(chosen)):
        mask = (owner == index) & own[index]
        if mask.any() and mask.sum() >= _KEPT_SHARE * own[index].sum():
            found.append((index, mask))
    return _regions(size_hw, found, scores.tolist(), [labels.get(kind) for kind in kinds.tolist()])


def _regions(
    size_hw: tuple[int, int],
    found: Sequence[tuple[int, NDArray[np.bool_]]],
    scores: Sequence[float],
    roles: Sequence[str | None],
) -> Regions:
    if not found:
        return Regions.empty(size_hw)
    return Regions.from_masks(
        size_hw,
        (mask for _, mask in found),
        scores=[scores[index] for index, _ in found],
        roles=[roles[index] for index, _ in found],
    )
