"""The `oneformer` segmenter, through transformers, with its task set to panoptic. Named by `models.registry`."""

from typing import TYPE_CHECKING, Any

from models.errors import WeightsMissing
from models.segmenters.installed import Installed
from models.segmenters.panoptic.segments import Forward, PanopticSegmenter

if TYPE_CHECKING:
    from torch import Tensor


class OneFormerSegmenter(PanopticSegmenter):
    """MARKWISE_ONEFORMER_WEIGHTS is a folder with a checkpoint and its tokenizer."""

    name = "oneformer"

    def load(self, installed: Installed) -> tuple[Any, Forward]:
        """Load `OneFormerForUniversalSegmentation`, which is told its task in words."""
        from transformers import AutoTokenizer

        from models.segmenters.sam.transformers_network import model_in

        model = model_in(self.name, installed, "OneFormerForUniversalSegmentation")
        setting = installed.setting(self.name)
        try:
            tokenizer = AutoTokenizer.from_pretrained(installed.weights[self.name], local_files_only=True)
        except (OSError, ValueError) as error:
            raise WeightsMissing("the OneFormer folder lacks its tokenizer", setting=setting) from error
        length = model.config.task_seq_len
        words = tokenizer(
            "the task is panoptic", padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        task = words["input_ids"].to(model.device)

        def forward(pixels: "Tensor") -> tuple["Tensor", "Tensor"]:
            found = model(pixel_values=pixels, task_inputs=task.to(pixels.dtype))
            return found.class_queries_logits[0].float(), found.masks_queries_logits[0].float()

        return model, forward
