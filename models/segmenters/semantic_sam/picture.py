"""Pictures as the network wants them: short side 640, normalised, padded to multiples of 32. Called by `network`.

The padding comes after normalising, so it is zero, and the network sees it as picture: pictures share a forward pass only
where their padded sizes agree, or each would change the other's answer.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Picture = NDArray[np.uint8]

SHORT_PX = 640
# The published code has no limit: a strip of 3 x 500 pixels would become 640 x 106,666.
LONG_PX = 2560
MULTIPLE_PX = 32
_MEAN_RGB = (123.675, 116.28, 103.53)
_STD_RGB = (58.395, 57.12, 57.375)


def seen_size(size_hw: tuple[int, int], short_px: int = SHORT_PX) -> tuple[int, int]:
    """Return the size at which a picture is seen: its short side becomes `short_px`, the long one is cut to whole pixels.

    Where the long side would pass 2,560 pixels, it becomes that and the short side less.
    """
    short, long = min(size_hw), max(size_hw)
    sides = (short_px, int(short_px * long / short))
    if sides[1] > LONG_PX:
        sides = (max(1, LONG_PX * short // long), LONG_PX)
    return sides if size_hw[0] <= size_hw[1] else sides[::-1]


def padded_size(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Return the size with both sides rounded up to multiples of 32."""
    high, wide = (side + -side % MULTIPLE_PX for side in size_hw)
    return high, wide


def resized(image: Picture, size_hw: tuple[int, int]) -> Picture:
    """Scale a picture ((H, W, 3) uint8 RGB) with Pillow's bicubic filter, as the published code does."""
    if image.shape[:2] == size_hw:
        return image
    scaled = Image.fromarray(image).resize((size_hw[1], size_hw[0]), Image.Resampling.BICUBIC)
    return np.array(scaled)


def normalised(images: Sequence[Picture], device: torch.device) -> Tensor:
    """Return pictures ((H, W, 3) uint8 RGB each, alike in padded size) as (B, 3, H, W) float32, zero where padded."""
    high, wide = padded_size((images[0].shape[0], images[0].shape[1]))
    mean = torch.tensor(_MEAN_RGB, device=device).view(3, 1, 1)
    std = torch.tensor(_STD_RGB, device=device).view(3, 1, 1)
    batch = torch.zeros(len(images), 3, high, wide, device=device)
    for at, image in enumerate(images):
        pixels = torch.from_numpy(np.array(image)).to(device).permute(2, 0, 1)
        batch[at, :, : image.shape[0], : image.shape[1]] = (pixels - mean) / std
    return batch
