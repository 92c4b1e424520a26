"""The published SAM code as the reference of tests and benches, and small random networks in its own classes.

segment-anything imports four functions of torchvision, whose published wheels fit only CUDA builds of torch. Where it is
absent, stand-ins of our own give it those four; everything else of the reference runs as it is.
"""

import importlib.util
import sys
import types
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image


def box_area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, idxs: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy suppression in the order of the scores, ties by index, as torchvision's CPU kernel does it (one class)."""
    assert not idxs.any()
    device, boxes, scores = boxes.device, boxes.cpu(), scores.cpu()
    area = box_area(boxes)
    order = scores.sort(stable=True, descending=True).indices
    alive = torch.ones(len(boxes), dtype=torch.bool)
    kept = []
    for at, i in enumerate(order.tolist()):
        if not alive[i]:
            continue
        kept.append(i)
        rest = order[at + 1 :]
        low, high = torch.maximum(boxes[i, :2], boxes[rest, :2]), torch.minimum(boxes[i, 2:], boxes[rest, 2:])
        sides = (high - low).clamp(min=0)
        inter = sides[:, 0] * sides[:, 1]
        alive[rest[(inter / (area[i] + area[rest] - inter)).double() > iou_threshold]] = False
    return torch.tensor(kept, dtype=torch.int64, device=device)


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def _torchvision() -> None:
    """Put the stand-ins in place unless torchvision is installed."""
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision"):
        return
    names = ["torchvision", "ops", "ops.boxes", "transforms", "transforms.functional"]
    made = {name: types.ModuleType(name if name == "torchvision" else f"torchvision.{name}") for name in names}
    made["ops.boxes"].batched_nms, made["ops.boxes"].box_area = batched_nms, box_area
    made["transforms.functional"].resize, made["transforms.functional"].to_pil_image = _resize, Image.fromarray
    for module in made.values():
        sys.modules[module.__name__] = module
    try:
        importlib.import_module("segment_anything")
    finally:
        # transformers looks for torchvision by name and must not find these.
        for module in made.values():
            del sys.modules[module.__name__]


def reference() -> Any:
    """The package `segment_anything`."""
    if "segment_anything" not in sys.modules:
        _torchvision()
    return importlib.import_module("segment_anything")


def random_sam(
    seed: int,
    *,
    image_px: int = 256,
    patch_px: int = 16,
    width: int = 48,
    depth: int = 4,
    heads: int = 4,
    global_blocks: tuple[int, ...] = (1, 3),
    window: int = 6,
    prompt_width: int = 64,
) -> Any:
    """A network of the reference's classes with random weights that see the picture: masks differ from point to point."""
    modeling = importlib.import_module(f"{reference().__name__}.modeling")
    torch.manual_seed(seed)
    grid = image_px // patch_px
    sam = modeling.Sam(
        image_encoder=modeling.ImageEncoderViT(
            depth=depth,
            embed_dim=width,
            img_size=image_px,
            mlp_ratio=4,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=heads,
            patch_size=patch_px,
            qkv_bias=True,
            use_rel_pos=True,
            global_attn_indexes=list(global_blocks),
            window_size=window,
            out_chans=prompt_width,
        ),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=prompt_width,
            image_embedding_size=(grid, grid),
            input_image_size=(image_px, image_px),
            mask_in_chans=16,
        ),
        mask_decoder=modeling.MaskDecoder(
            num_multimask_outputs=3,
            transformer=modeling.TwoWayTransformer(depth=2, embedding_dim=prompt_width, mlp_dim=128, num_heads=8),
            transformer_dim=prompt_width,
            iou_head_depth=3,
            iou_head_hidden_dim=64,
        ),
    )
    return liven(sam)


def liven(sam: Any) -> Any:
    """Make random weights matter: the default start leaves positions at zero and gives all points nearly one mask.

    Queries and keys of the cross attention share their weights, so that a pixel looks at the prompt near it.
    """
    with torch.no_grad():
        for name, tensor in sam.named_parameters():
            if "rel_pos" in name or name.endswith("pos_embed"):
                tensor.normal_(std=0.2)
        decoder = sam.mask_decoder
        for layer in decoder.transformer.layers:
            for attention in (layer.cross_attn_image_to_token, layer.cross_attn_token_to_image):
                attention.k_proj.weight.copy_(attention.q_proj.weight.normal_(std=2.0 / attention.embedding_dim**0.5))
                attention.v_proj.weight.mul_(3)
                attention.out_proj.weight.mul_(3)
        for head in decoder.output_hypernetworks_mlps:
            head.layers[-1].weight.mul_(60)
            head.layers[-1].bias.normal_(std=3.0)
        decoder.iou_prediction_head.layers[-1].weight.mul_(4)
    return sam.eval()


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    """Pictures of several sizes with things on them, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    sizes = [(200, 300), (256, 256), (333, 180), (120, 90), (410, 640)]
    made = []
    for index in range(count):
        high, wide = sizes[index % len(sizes)]
        picture = np.full((high, wide, 3), rng.integers(0, 255, 3), np.uint8)
        for _ in range(12):
            y, x = rng.integers(0, high), rng.integers(0, wide)
            h, w = rng.integers(8, high // 2), rng.integers(8, wide // 2)
            picture[y : y + h, x : x + w] = rng.integers(0, 255, 3)
        made.append(np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8))
    return made
