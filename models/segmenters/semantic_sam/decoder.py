"""The decoder: queries at boxes look at each other and at the picture, and move their boxes. And its heads on top.

`Decoder` is Mask DINO's (Li et al. 2022), and knows neither where queries come from nor what is read off them; `Predictor`
is Semantic-SAM's (Li et al. 2023, section 3): six queries per click, a mask and a score from each. Modules carry the
checkpoint's names. Called by `network`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.segmenters.semantic_sam.deformable import DeformableAttention, Sizes
from models.segmenters.semantic_sam.layers import Mlp, inverse_sigmoid, sine_of_boxes
from models.segmenters.semantic_sam.shape import HEADS, Shape

POINT, BOX = 0, 1
"""What a click means; the numbers are the checkpoint's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The picture as the decoder sees it: what each layer reads of its tokens, (B, N, heads, C / heads) each."""

    values: list[Tensor]
    sizes: Sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """Queries (B, Q, C) after the last layer, not normalised; their boxes (B, Q, 4) in 0-1, and those before that layer.

    Clicks have no use for boxes; a detector such as MaskDINO refines `boxes_before` by its normalised queries.
    """

    queries: Tensor
    boxes: Tensor
    boxes_before: Tensor


class Decoder(nn.Module):
    """Layers that share nothing but the head that codes boxes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.ref_point_head = Mlp([2 * shape.width, shape.width, shape.width])
        # Nine names for one set of weights in the published files; each is read by its own.
        self.bbox_embed = nn.ModuleList(
            Mlp([shape.width, shape.width, shape.width, 4]) for _ in range(shape.decoder_layers)
        )
        self.half = shape.width // 2

    def memory(self, maps: Sequence[Tensor]) -> Memory:
        """Prepare maps (B, C, h, w), given from the finest to the coarsest, for any number of queries.

        The decoder was trained on the opposite order, the coarsest first.
        """
        turned = list(reversed(maps))
        tokens = torch.cat([item.flatten(2).transpose(1, 2) for item in turned], dim=1)
        sizes = [(item.shape[2], item.shape[3]) for item in turned]
        return Memory(values=[layer.cross_attn.values(tokens) for layer in self.layers], sizes=sizes)

    def forward(self, queries: Tensor, boxes: Tensor, memory: Memory) -> Refined:
        """Refine queries (B, Q, C) at `boxes` (B, Q, 4), x, y, w, h in 0-1; all queries see each other."""
        before = boxes
        for index, (layer, values) in enumerate(zip(self.layers, memory.values, strict=True)):
            place = self.ref_point_head(sine_of_boxes(boxes, self.half))
            queries = layer(queries, place, boxes, values, memory.sizes)
            before = boxes
            boxes = (self.bbox_embed[index](queries) + inverse_sigmoid(boxes)).sigmoid()
        return Refined(queries=queries, boxes=boxes, boxes_before=before)


class DecoderLayer(nn.Module):
    """Attention among queries, deformable attention to the picture, a perceptron; each added and normalised after."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(shape.width, HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(shape.width)
        self.cross_attn = DeformableAttention(shape.width, HEADS, shape.encoder_levels, shape.decoder_points)
        self.norm1 = nn.LayerNorm(shape.width)
        self.linear1 = nn.Linear(shape.width, shape.feedforward)
        self.linear2 = nn.Linear(shape.feedforward, shape.width)
        self.norm3 = nn.LayerNorm(shape.width)

    def forward(self, queries: Tensor, place: Tensor, boxes: Tensor, values: Tensor, sizes: Sizes) -> Tensor:
        """Map queries (B, Q, C) with the codes of their boxes (B, Q, C) to (B, Q, C)."""
        looking = queries + place
        queries = self.norm2(queries + self.self_attn(looking, looking, queries, need_weights=False)[0])
        queries = self.norm1(queries + self.cross_attn(queries + place, boxes[:, :, None], values, sizes))
        out: Tensor = self.norm3(queries + self.linear2(self.linear1(queries).relu()))
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Of each click and slot: predicted IoU (n, slots) float32, and what its mask looks for (n, slots, C)."""

    scores: Tensor
    embedded: Tensor


class Predictor(nn.Module):
    """Clicks to scores and mask embeddings; a slot is one of the masks that a click asks for."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.decoder = Decoder(shape)
        self.mask_tokens = nn.Embedding(shape.mask_tokens, shape.width)
        self.pb_embedding = nn.Embedding(2, shape.width)
        self.label_enc = nn.Embedding(2, shape.width)
        self.decoder_norm = nn.LayerNorm(shape.width)
        self.mask_embed = Mlp([shape.width, shape.width, shape.width, shape.mask_width])
        self.iou_prediction_head = Mlp([shape.width, shape.width, shape.width, 1])

    def forward(self, boxes: Tensor, kinds: Tensor, memory: Memory) -> Predicted:
        """Answer clicks at `boxes` (n, 4), x, y, w, h in 0-1 of the padded input, of `kinds` (n,), POINT or BOX.

        All clicks of a call see each other: together they are answered otherwise than one by one.
        """
        slots = self.mask_tokens.weight
        told = self.label_enc.weight[0] + self.pb_embedding(kinds)
        queries = (told[:, None] + slots).flatten(0, 1)[None]
        # Through the logit and back, as in training: it keeps the sides off 0 and 1.
        places = inverse_sigmoid(boxes).sigmoid().repeat_interleave(len(slots), dim=0)[None]
        refined = self.decoder(queries, places, memory)
        # Twice: what the last layer hands on is normalised already when the heads normalise it.
        read = self.decoder_norm(self.decoder_norm(refined.queries))
        split = (len(boxes), len(slots))
        return Predicted(
            scores=self.iou_prediction_head(read)[0, :, 0].float().unflatten(0, split),
            embedded=self.mask_embed(read)[0].unflatten(0, split),
        )
