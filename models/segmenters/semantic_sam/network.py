"""The whole network behind one object: pictures to embeddings, clicks on an embedding to scores and masks.

Built by `checkpoint`; `everything` and `clicking` call it. Knows no thresholds, no levels and no files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.segmenters.sam.network import Embedding
from models.segmenters.semantic_sam.decoder import POINT, Memory, Predicted, Predictor
from models.segmenters.semantic_sam.picture import SHORT_PX, Picture, normalised, padded_size, resized, seen_size
from models.segmenters.semantic_sam.pixel_decoder import PixelDecoder
from models.segmenters.semantic_sam.shape import Shape
from models.segmenters.semantic_sam.swin import Swin

POINT_SIDE = 0.005
"""A point is a box of this share of the picture."""
MASK_STRIDE = 4
"""Pixels of the network's input per pixel of a mask."""


class Head(nn.Module):
    """Pixel decoder and predictor under the name that the checkpoint gives them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.pixel_decoder = PixelDecoder(shape)
        self.predictor = Predictor(shape)


class SemanticSam(nn.Module):
    """The network on one device; frozen. `short_px` is the short side at which it sees pictures."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.short_px = SHORT_PX
        self.backbone = Swin(shape)
        self.sem_seg_head = Head(shape)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        where: torch.device = self.sem_seg_head.predictor.mask_tokens.weight.device
        return where

    def in_precision(self, dtype: torch.dtype) -> "SemanticSam":
        """Convert backbone and pixel decoder to `dtype`, in place; places, clicks, scores and masks stay float32."""
        self.backbone.to(dtype)
        self.sem_seg_head.pixel_decoder.to(dtype)
        return self

    def encode(self, images: Sequence[Picture]) -> list[Embedding]:
        """Encode pictures ((H, W, 3) uint8 RGB, sizes may differ); those alike in padded size share a forward pass.

        An embedding holds the mask features (1, C, h / 4, w / 4) and the encoder's maps, from the finest to the coarsest.
        """
        seen = [resized(image, seen_size((image.shape[0], image.shape[1]), self.short_px)) for image in images]
        alike: dict[tuple[int, int], list[int]] = {}
        for index, image in enumerate(seen):
            alike.setdefault(padded_size((image.shape[0], image.shape[1])), []).append(index)
        found: dict[int, Embedding] = {}
        for group in alike.values():
            features = self.features(normalised([seen[index] for index in group], self.device))
            for at, index in enumerate(group):
                found[index] = Embedding(
                    features=tuple(item[at : at + 1].float() for item in features),
                    size_hw=(images[index].shape[0], images[index].shape[1]),
                    input_hw=(seen[index].shape[0], seen[index].shape[1]),
                )
        return [found[index] for index in range(len(images))]

    def features(self, pixels: Tensor) -> list[Tensor]:
        """Map normalised pixels (B, 3, H, W) to the mask features and the encoder's maps."""
        kind = self.backbone.patch_embed.proj.weight.dtype
        decoded = self.sem_seg_head.pixel_decoder(self.backbone(pixels.to(kind)))
        return [decoded.mask_features, *decoded.maps]

    def prompted(self, embedding: Embedding) -> "PromptedPicture":
        """Prepare an encoded picture for clicks."""
        mask_features, *maps = embedding.features
        memory = self.sem_seg_head.predictor.decoder.memory(maps)
        return PromptedPicture(network=self, embedding=embedding, mask_features=mask_features[0], memory=memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptedPicture:
    """An encoded picture that takes clicks; `mask_features` are (C, h, w)."""

    network: SemanticSam
    embedding: Embedding
    mask_features: Tensor
    memory: Memory

    @property
    def size_hw(self) -> tuple[int, int]:
        """The size at which the network saw the picture: that of its masks."""
        return self.embedding.input_hw

    @property
    def stride(self) -> int:
        """Pixels of that size per pixel of the masks that `Answers.logits` returns."""
        return MASK_STRIDE

    def ask(self, points_xy: Tensor) -> "Answers":
        """Answer points (n, 2) in 0-1 of the picture; they see each other."""
        sides = torch.full_like(points_xy, POINT_SIDE)
        kinds = torch.full((len(points_xy),), POINT, dtype=torch.long)
        return self.ask_boxes(torch.cat([points_xy, sides], dim=1), kinds)

    def ask_boxes(self, boxes: Tensor, kinds: Tensor) -> "Answers":
        """Answer clicks at boxes (n, 4), middle x, y and sides w, h in 0-1 of the picture, of `kinds` (n,)."""
        high, wide = self.size_hw
        padded_high, padded_wide = padded_size(self.size_hw)
        share = torch.tensor([wide / padded_wide, high / padded_high] * 2)
        device = self.network.device
        places = (boxes.float() * share).to(device)
        predicted = self.network.sem_seg_head.predictor(places, kinds.to(device), self.memory)
        return Answers(predicted=predicted, mask_features=self.mask_features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the network says to n clicks; no mask is made before it is asked for."""

    predicted: Predicted
    mask_features: Tensor

    @property
    def scores(self) -> Tensor:
        """Predicted IoU of each click's masks, (n, slots) float32; not bounded to 0-1."""
        return self.predicted.scores

    def logits(self, clicks: Tensor, slots: Tensor) -> Tensor:
        """Return the masks of pairs of a click and a slot, both (k,): logits (k, h, w) float32 of the padded input."""
        wanted = self.predicted.embedded[clicks, slots].float()
        return torch.einsum("kc,chw->khw", wanted, self.mask_features)
