"""How well captions fit a picture, by a CLIP of the operator's own: the scorer of MMGiC's choice of captions (section F.4).

The folder is what `save_pretrained` or `hf download openai/clip-vit-large-patch14` leaves; nothing is fetched. Loaded by
`workers.shelf` when an order of concept documents first needs it. Knows no captions' source and no documents.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import WeightsMissing

SETTING = "MARKWISE_CAPTION_SCORER"


class ClipSimilarity:
    """Implements `Similarity`: the cosine of a picture's and a caption's embedding, which the paper cuts at 0.25."""

    def __init__(self, folder: Path) -> None:
        """Load model and processor; raises WeightsMissing where the folder does not hold a CLIP."""
        from transformers import CLIPModel, CLIPProcessor

        try:
            self._processor: Any = CLIPProcessor.from_pretrained(folder, local_files_only=True)
            self._model: Any = CLIPModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, KeyError) as error:
            raise WeightsMissing(
                f"{SETTING} names {folder}, which holds no CLIP with its processor", setting=SETTING
            ) from error
        self._turn = threading.Lock()

    def __call__(self, pixels: NDArray[np.uint8], captions: Sequence[str]) -> Sequence[float]:
        """Return one cosine per caption for (H, W, 3) uint8 RGB; a caption beyond the model's context is cut."""
        with self._turn, torch.inference_mode():
            given = self._processor(
                text=list(captions), images=pixels, return_tensors="pt", padding=True, truncation=True
            )
            found = self._model(**given)
            cosines = found.text_embeds @ found.image_embeds[0]
        return [float(value) for value in cosines]
