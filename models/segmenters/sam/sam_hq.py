"""The `sam-hq` segmenter: SAM-HQ, finer outlines from SAM's frozen encoder, through transformers. Named by `models.registry`."""

from typing import TYPE_CHECKING

from models.segmenters.installed import Installed
from models.segmenters.sam.segmenter import PromptableSegmenter

if TYPE_CHECKING:
    from models.segmenters.sam.promptable import Promptable


class SamHqSegmenter(PromptableSegmenter):
    """MARKWISE_SAM_HQ_WEIGHTS is a folder."""

    name = "sam-hq"

    def load(self, installed: Installed) -> "Promptable":
        """Load `SamHQModel`, whose decoder also reads the encoder's intermediate layers."""
        from models.segmenters.sam.transformers_network import Kind, loaded

        def embed(model: object, pixels: object) -> list[object]:
            image, intermediate = model.get_image_embeddings(pixels)  # type: ignore[attr-defined]  # transformers is untyped here
            return [image, *intermediate]

        kind = Kind(
            model="SamHQModel",
            embed=embed,
            arguments=lambda features: {"image_embeddings": features[0], "intermediate_embeddings": list(features[1:])},
            keeps_shape=True,
        )
        return loaded(self.name, installed, kind)
