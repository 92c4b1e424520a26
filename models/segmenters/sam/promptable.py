"""What everything-mode and prompting ask of a network: Segment Anything's own, or one of transformers'.

Whoever adds a promptable model implements these three and a small segmenter file. Nothing here computes.
"""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.segmenters.sam.network import Embedding


class Outcome(Protocol):
    """Prompts after the decoder; `scores` (B, outputs) float32 are its own predictions of the masks' IoU."""

    @property
    def scores(self) -> Tensor:
        """Predicted IoU; output 0 is the single mask, 1 to 3 are the several."""
        ...

    def take(self, index: Tensor) -> Self:
        """Only the prompts at `index`."""
        ...


class Prompted(Protocol):
    """An encoded picture that takes prompts."""

    @property
    def embedding(self) -> Embedding:
        """Of which picture."""
        ...

    def decode(self, points_xy_px: NDArray[np.float64], labels: NDArray[np.int64]) -> Outcome:
        """Run prompts of N points each: (B, N, 2) in pixels of the picture, and what each means (B, N)."""
        ...

    def masks(self, decoded: Any, outputs: tuple[int, ...]) -> Tensor:
        """Return logits (B, len(outputs), h, w) float32, of its own outcome, of the part that covers the picture."""
        ...


class Promptable(Protocol):
    """A network; its masks have a side of `low_px` for the `image_px` of its square input."""

    image_px: int
    low_px: int

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        ...

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode pictures ((H, W, 3) uint8 RGB) in one forward pass."""
        ...

    def prompted(self, embedding: Embedding) -> Prompted:
        """Prepare an encoded picture for prompts."""
        ...
