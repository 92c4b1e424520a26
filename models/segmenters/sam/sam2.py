"""The `sam2` segmenter: SAM 2 and 2.1 on single pictures, through transformers. Named by `models.registry`."""

from typing import TYPE_CHECKING

from models.segmenters.installed import Installed
from models.segmenters.sam.segmenter import PromptableSegmenter

if TYPE_CHECKING:
    from models.segmenters.sam.promptable import Promptable


class Sam2Segmenter(PromptableSegmenter):
    """Hiera tiny to large; MARKWISE_SAM2_WEIGHTS is a folder."""

    name = "sam2"
    score_min = 0.8

    def load(self, installed: Installed) -> "Promptable":
        """Load `Sam2Model`, which sees pictures stretched to a square and embeds them at three sizes."""
        from models.segmenters.sam.transformers_network import Kind, loaded

        kind = Kind(
            model="Sam2Model",
            embed=lambda model, pixels: model.get_image_embeddings(pixels),
            arguments=lambda features: {"image_embeddings": list(features)},
            keeps_shape=False,
        )
        return loaded(self.name, installed, kind)
