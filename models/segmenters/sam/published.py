"""The `sam` segmenter: Segment Anything from its published weights. Named by `models.registry`."""

from typing import TYPE_CHECKING

from models.segmenters.installed import Installed
from models.segmenters.sam.segmenter import PromptableSegmenter
from models.weights import located, state_of

if TYPE_CHECKING:
    from models.segmenters.sam.network import SamNetwork

NAMES = ("sam-vit-b", "sam-vit-l", "sam-vit-h")


class SamSegmenter(PromptableSegmenter):
    """ViT-B, ViT-L, ViT-H, or a checkpoint of the same architecture."""

    name = "sam"

    def load(self, installed: Installed) -> "SamNetwork":
        """Read the file that MARKWISE_SAM_WEIGHTS names; on an accelerator encoder and decoder run in bfloat16."""
        setting = installed.setting(self.name)
        path = located(installed.weights.get(self.name), setting=setting, cache=installed.cache, names=NAMES)
        state = state_of(path)
        import torch

        from models.segmenters.sam.network import build

        network = build(state)
        if torch.cuda.is_available():
            # bfloat16 halves the memory and doubles the speed; on a CPU the masks are to be the published code's.
            network = network.to("cuda").in_precision(torch.bfloat16)
        if installed.compiled:
            network.image_encoder.compile()
        return network
