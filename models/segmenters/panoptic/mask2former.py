"""The `mask2former` segmenter, through transformers. Named by `models.registry`."""

from typing import TYPE_CHECKING, Any

from models.segmenters.installed import Installed
from models.segmenters.panoptic.segments import Forward, PanopticSegmenter

if TYPE_CHECKING:
    from torch import Tensor


class Mask2FormerSegmenter(PanopticSegmenter):
    """MARKWISE_MASK2FORMER_WEIGHTS is a folder with a panoptic checkpoint."""

    name = "mask2former"

    def load(self, installed: Installed) -> tuple[Any, Forward]:
        """Load `Mask2FormerForUniversalSegmentation`."""
        from models.segmenters.sam.transformers_network import model_in

        model = model_in(self.name, installed, "Mask2FormerForUniversalSegmentation")

        def forward(pixels: "Tensor") -> tuple["Tensor", "Tensor"]:
            found = model(pixel_values=pixels)
            return found.class_queries_logits[0].float(), found.masks_queries_logits[0].float()

        return model, forward
