"""The mask decoder of Segment Anything: prompt tokens look at the image, the image looks back, masks come out.

Same function as the published one, other order of work. A batch of prompts has a handful of tokens each (7 for a point),
the image 4,096; so projections are folded into the few tokens' side instead of being applied to every pixel of every
prompt (56 columns instead of 128), the first layer's image side is computed once per image, and masks are upscaled for
chosen prompts and rows only. 2.7 GFLOP per point become 0.8, and 0.8 more where a mask passes its score.
Modules carry the names of the published state dict. Knows no pixels and no thresholds.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.segmenters.sam.encoder import LayerNorm2d, Mlp
from models.segmenters.sam.shape import SamShape


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSide:
    """What all prompts on one image share: its tokens (N, C) with the first layer's projections (heads, N, c) of them."""

    tokens: Tensor
    key: Tensor
    value: Tensor
    query: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """B prompts after the transformer: mask tokens (B, M, C), image tokens (B, N, C), predicted IoU (B, M) float32."""

    mask_tokens: Tensor
    image_tokens: Tensor
    scores: Tensor

    def take(self, index: Tensor) -> "Decoded":
        """Only the prompts at `index`."""
        return Decoded(
            mask_tokens=self.mask_tokens[index], image_tokens=self.image_tokens[index], scores=self.scores[index]
        )


class Attention(nn.Module):
    """The four projections of one attention; how they are applied depends on which side is the small one."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = 1 / math.sqrt(inner // heads)
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def split(self, x: Tensor) -> Tensor:
        """(..., n, inner) to (..., heads, n, inner / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def join(self, x: Tensor) -> Tensor:
        """(B, heads, n, c) to (B, n, C): the output projection of joined heads."""
        out: Tensor = self.out_proj(x.transpose(-3, -2).flatten(-2))
        return out

    def among_tokens(self, where: Tensor, what: Tensor) -> Tensor:
        """Plain self-attention: places (B, T, C) decide, contents (B, T, C) are mixed."""
        q, k, v = self.split(self.q_proj(where)), self.split(self.k_proj(where)), self.split(self.v_proj(what))
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.scale, dim=-1)
        return self.join(weights @ v)

    def read_shared(self, where: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Tokens (B, T, C) read an image whose keys and values (heads, N, c) are the same for all of them."""
        batch, count, _ = where.shape
        q = self.split(self.q_proj(where)).transpose(0, 1).flatten(1, 2)  # (heads, B * T, c)
        weights = torch.softmax(torch.bmm(q * self.scale, key.transpose(1, 2)), dim=-1)
        return self.join(torch.bmm(weights, value).unflatten(1, (batch, count)).transpose(0, 1))

    def read(self, where: Tensor, placed: Tensor, image: Tensor) -> Tensor:
        """Tokens (B, T, C) read an image of their own: `placed` (B, N, C) carries the position code, `image` does not.

        (q W_q)(k W_k)^T = (q W_q W_k^T) k^T, and weights that sum to one take the value projection outside too; what a
        key bias adds to every score of a row alike falls out of the softmax.
        """
        batch, count, width = where.shape
        q = self.split(self.q_proj(where))  # (B, heads, T, c)
        folded = torch.matmul(q * self.scale, self.k_proj.weight.unflatten(0, (self.heads, -1)))  # (B, heads, T, C)
        weights = torch.softmax(torch.bmm(folded.flatten(1, 2), placed.transpose(1, 2)), dim=-1)
        mixed = torch.bmm(weights, image).view(batch, self.heads, count, width)
        value = self.v_proj.weight.unflatten(0, (self.heads, -1)).transpose(1, 2)  # (heads, C, c)
        return self.join(torch.matmul(mixed, value) + self.v_proj.bias.view(self.heads, 1, -1))

    def answer_shared(self, query: Tensor, where: Tensor, what: Tensor, image: Tensor) -> Tensor:
        """Every pixel of a shared image (N, C) looks at the tokens; returns the images (B, N, C) with what it saw added."""
        k, v = self._tokens_side(where, what)
        batch, heads, count, _ = k.shape
        scores = torch.matmul((k * self.scale).transpose(0, 1).flatten(1, 2), query.transpose(1, 2))  # (heads, B*T, N)
        weights = torch.softmax(scores.view(heads, batch, count, -1), dim=2)
        weights = weights.transpose(0, 1).reshape(batch, heads * count, -1)
        return torch.baddbmm((image + self.out_proj.bias).expand(batch, -1, -1), weights.transpose(1, 2), v)

    def answer(self, placed: Tensor, where: Tensor, what: Tensor, image: Tensor) -> Tensor:
        """The same for images of their own (B, N, C)."""
        k, v = self._tokens_side(where, what)
        batch, heads, count, _ = k.shape
        k = k * self.scale
        folded = torch.matmul(k, self.q_proj.weight.unflatten(0, (heads, -1)))  # (B, heads, T, C)
        offset = torch.matmul(k, self.q_proj.bias.view(heads, -1, 1))  # (B, heads, T, 1)
        scores = torch.bmm(folded.flatten(1, 2), placed.transpose(1, 2)).view(batch, heads, count, -1) + offset
        weights = torch.softmax(scores, dim=2).flatten(1, 2)
        return torch.baddbmm(image + self.out_proj.bias, weights.transpose(1, 2), v)

    def _tokens_side(self, where: Tensor, what: Tensor) -> tuple[Tensor, Tensor]:
        """Keys (B, heads, T, c) and values (B, heads * T, C) with the output projection already applied."""
        k, v = self.split(self.k_proj(where)), self.split(self.v_proj(what))
        out = self.out_proj.weight.t().unflatten(0, (self.heads, -1))  # (heads, c, C)
        return k, torch.matmul(v, out).flatten(1, 2)


class Layer(nn.Module):
    """One two-way layer."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        width, heads = shape.prompt_width, shape.decoder_heads
        self.self_attn = Attention(width, width, heads)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = Attention(width, shape.decoder_inner, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, shape.decoder_mlp_width, nn.ReLU)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = Attention(width, shape.decoder_inner, heads)

    def first(self, tokens: Tensor, side: ImageSide) -> tuple[Tensor, Tensor]:
        """The layer on a shared image: tokens (B, T, C) -> tokens, images (B, N, C)."""
        read, answer = self.cross_attn_token_to_image, self.cross_attn_image_to_token
        mixed = self.norm1(self.self_attn.among_tokens(tokens, tokens))
        mixed = self.norm2(mixed + read.read_shared(mixed + tokens, side.key, side.value))
        mixed = self.norm3(mixed + self.mlp(mixed))
        return mixed, self.norm4(answer.answer_shared(side.query, mixed + tokens, mixed, side.tokens))

    def forward(self, mixed: Tensor, tokens: Tensor, image: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """A later layer: state (B, T, C) of `tokens`, images (B, N, C) and their position `code` (N, C)."""
        where = mixed + tokens
        mixed = self.norm1(mixed + self.self_attn.among_tokens(where, mixed))
        placed = image + code
        mixed = self.norm2(mixed + self.cross_attn_token_to_image.read(mixed + tokens, placed, image))
        mixed = self.norm3(mixed + self.mlp(mixed))
        return mixed, self.norm4(self.cross_attn_image_to_token.answer(placed, mixed + tokens, mixed, image))


class Transformer(nn.Module):
    """The two-way transformer."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.decoder_layers))
        self.final_attn_token_to_image = Attention(shape.prompt_width, shape.decoder_inner, shape.decoder_heads)
        self.norm_final_attn = nn.LayerNorm(shape.prompt_width)

    def forward(self, tokens: Tensor, side: ImageSide, code: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, T, C) and images (B, N, C)."""
        mixed, image = self.layers[0].first(tokens, side)
        for layer in self.layers[1:]:
            mixed, image = layer(mixed, tokens, image, code)
        read = self.final_attn_token_to_image.read(mixed + tokens, image + code, image)
        return self.norm_final_attn(mixed + read), image


class Head(nn.Module):
    """A small perceptron with ReLU between its layers."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., widths[0]) to (..., widths[-1])."""
        for layer in self.layers[:-1]:
            x = functional.relu(layer(x))
        out: Tensor = self.layers[-1](x)
        return out


class MaskDecoder(nn.Module):
    """Prompt tokens and an image's embedding to scores and, where asked, to masks."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        width = shape.prompt_width
        self.grid = shape.grid
        self.transformer = Transformer(shape)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(shape.mask_tokens, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, kernel_size=2, stride=2),
            LayerNorm2d(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, kernel_size=2, stride=2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            Head([width, width, width, width // 8]) for _ in range(shape.mask_tokens)
        )
        inner = [shape.score_width] * (shape.score_layers - 1)
        self.iou_prediction_head = Head([width, *inner, shape.mask_tokens])

    def image_side(self, image: Tensor, code: Tensor) -> ImageSide:
        """Compute once per image what its prompts share, from its tokens (N, C) and their position code (N, C)."""
        layer = self.transformer.layers[0]
        read, answer = layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
        placed = image + code
        return ImageSide(
            tokens=image,
            key=read.split(read.k_proj(placed)),
            value=read.split(read.v_proj(image)),
            query=answer.split(answer.q_proj(placed)),
        )

    def forward(self, prompts: Tensor, side: ImageSide, code: Tensor) -> Decoded:
        """Run the transformer on prompt tokens (B, P, C)."""
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(len(prompts), -1, -1), prompts], dim=1)
        mixed, image = self.transformer(tokens, side, code)
        scores = self.iou_prediction_head(mixed[:, 0]).float()
        return Decoded(mask_tokens=mixed[:, 1 : len(own)], image_tokens=image, scores=scores)

    def masks(self, decoded: Decoded, outputs: tuple[int, ...], rows: int, columns: int) -> Tensor:
        """Return mask logits (B, len(outputs), 4 * rows, 4 * columns) float32 of the top left token rows and columns.

        Upscaling never mixes neighbours, so what lies under the padding of the model's square input is left out.
        """
        first, norm, act, second, _ = self.output_upscaling
        image = decoded.image_tokens.unflatten(1, (self.grid, self.grid))[:, :rows, :columns]
        fine = _upscaled(image, first)  # (B, rows, columns, 2, 2, C / 4)
        fine = act(norm.channels_last(fine))
        fine = act(_upscaled(fine, second))  # (B, rows, columns, 2, 2, 2, 2, C / 8)
        weights = torch.stack(
            [self.output_hypernetworks_mlps[i](decoded.mask_tokens[:, i]) for i in outputs], dim=1
        )  # (B, M, C / 8)
        flat = torch.bmm(weights, fine.flatten(1, -2).transpose(1, 2))  # (B, M, rows * columns * 16)
        shaped = flat.view(len(flat), len(outputs), rows, columns, 2, 2, 2, 2)
        return shaped.permute(0, 1, 2, 4, 6, 3, 5, 7).reshape(len(flat), len(outputs), 4 * rows, 4 * columns).float()


def _upscaled(x: Tensor, layer: nn.Module) -> Tensor:
    """A 2 x 2 transposed convolution with stride 2 on (..., C) as the matrix product it is: (..., 2, 2, C')."""
    weight: Tensor = layer.weight  # (C, C', 2, 2)
    flat = functional.linear(x, weight.permute(2, 3, 1, 0).flatten(0, 2), layer.bias.repeat(4))
    return flat.unflatten(-1, (2, 2, -1))
