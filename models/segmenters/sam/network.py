"""The whole network behind one object: pictures to embeddings, prompts on an embedding to scores and masks.

Built from a state dict by `build`; `everything` and `prompting` call it. Knows no thresholds and no files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from models.errors import WeightsMissing
from models.segmenters.sam.decoder import Decoded, ImageSide, MaskDecoder
from models.segmenters.sam.encoder import ImageEncoder
from models.segmenters.sam.prompts import PromptEncoder
from models.segmenters.sam.shape import DECODER_HEADS, SamShape, shape_of

_MEAN_RGB = (123.675, 116.28, 103.53)
_STD_RGB = (58.395, 57.12, 57.375)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """One encoded picture: `features` as its model wants them back, its own size and the size the model saw it at."""

    features: tuple[Tensor, ...]
    size_hw: tuple[int, int]
    input_hw: tuple[int, int]

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return sum(int(item.numel() * item.element_size()) for item in self.features)


def input_size(size_hw: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Size of a picture whose longer side becomes `side_px`, rounded as the published code rounds, never to nothing."""
    scale = float(side_px) / max(size_hw)
    return max(1, int(size_hw[0] * scale + 0.5)), max(1, int(size_hw[1] * scale + 0.5))


class SamNetwork(nn.Module):
    """Encoder, prompt encoder and decoder on one device; frozen. `low_px` is the side of its masks, `image_px` covers."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        self.shape = shape
        self.image_px, self.low_px = shape.image_px, shape.low_px
        self.image_encoder = ImageEncoder(shape)
        self.prompt_encoder = PromptEncoder(shape)
        self.mask_decoder = MaskDecoder(shape)
        self.register_buffer("mean", torch.tensor(_MEAN_RGB).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD_RGB).view(-1, 1, 1), persistent=False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        where: torch.device = self.mean.device
        return where

    @property
    def dtype(self) -> torch.dtype:
        """What the encoder and the decoder compute in; places and scores stay float32."""
        kind: torch.dtype = self.mask_decoder.iou_token.weight.dtype
        return kind

    def in_precision(self, dtype: torch.dtype) -> "SamNetwork":
        """Convert encoder and decoder to `dtype`, in place; the position code needs float32."""
        self.image_encoder.to(dtype)
        self.mask_decoder.to(dtype)
        return self

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode pictures ((H, W, 3) uint8 RGB, sizes may differ) in one forward pass."""
        side = self.shape.image_px
        sizes = [input_size((image.shape[0], image.shape[1]), side) for image in images]
        batch = torch.zeros(len(images), 3, side, side, device=self.device)
        for at, (image, (high, wide)) in enumerate(zip(images, sizes, strict=True)):
            # Pillow's bilinear filter averages when it shrinks; the published code resizes with it too.
            scaled = np.array(Image.fromarray(image).resize((wide, high), Image.Resampling.BILINEAR))
            pixels = torch.from_numpy(scaled).to(self.device).permute(2, 0, 1)
            batch[at, :, :high, :wide] = (pixels - self.mean) / self.std
        embedded = self.image_encoder(batch.to(self.dtype))
        return [
            Embedding(features=(embedded[at],), size_hw=(image.shape[0], image.shape[1]), input_hw=size)
            for at, (image, size) in enumerate(zip(images, sizes, strict=True))
        ]

    def prompted(self, embedding: Embedding) -> "PromptedImage":
        """Prepare an encoded picture for prompts."""
        image = embedding.features[0].flatten(1).t() + self.prompt_encoder.no_mask_embed.weight.to(self.dtype)
        code = self.prompt_encoder.dense().to(self.dtype)
        return PromptedImage(
            network=self, embedding=embedding, side=self.mask_decoder.image_side(image, code), code=code
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptedImage:
    """An encoded picture that takes prompts."""

    network: SamNetwork
    embedding: Embedding
    side: ImageSide
    code: Tensor

    def decode(self, points_xy_px: NDArray[np.float64], labels: NDArray[np.int64]) -> Decoded:
        """Run prompts of N points each: (B, N, 2) in pixels of the picture, and what each point means (B, N)."""
        (high, wide), (old_high, old_wide) = self.embedding.input_hw, self.embedding.size_hw
        scaled = points_xy_px * np.array([wide / old_wide, high / old_high])
        network = self.network
        tokens = network.prompt_encoder(
            torch.from_numpy(scaled).to(network.device), torch.from_numpy(labels).to(network.device)
        )
        decoded: Decoded = network.mask_decoder(tokens.to(network.dtype), self.side, self.code)
        return decoded

    def masks(self, decoded: Decoded, outputs: tuple[int, ...]) -> Tensor:
        """Return logits (B, len(outputs), h, w) float32 that cover the picture and at most a token of padding."""
        patch, grid = self.network.shape.patch_px, self.network.shape.grid
        # One token more than the picture covers: bilinear enlarging looks half a low-resolution pixel ahead.
        rows, columns = (min(grid, -(-side // patch) + 1) for side in self.embedding.input_hw)
        return self.network.mask_decoder.masks(decoded, outputs, rows, columns)


def build(state: Mapping[str, Tensor], decoder_heads: int = DECODER_HEADS) -> SamNetwork:
    """Build the network of a segment-anything state dict, float32 on the CPU; raises WeightsMissing if it is another's."""
    shape = shape_of({name: tuple(tensor.shape) for name, tensor in state.items()}, decoder_heads)
    with torch.device("meta"):
        network = SamNetwork(shape)
    frozen = {name: tensor.float() for name, tensor in state.items()}
    try:
        network.load_state_dict(frozen, strict=True, assign=True)
    except RuntimeError as error:
        raise WeightsMissing("the file lacks parts of a segment-anything network, or holds parts of another") from error
    network.mean = torch.tensor(_MEAN_RGB).view(-1, 1, 1)
    network.std = torch.tensor(_STD_RGB).view(-1, 1, 1)
    network.requires_grad_(requires_grad=False)
    network.eval()
    return network
