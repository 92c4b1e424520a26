"""Everything-mode: a grid of points on a picture -> all the masks that are sure, stable and no duplicates.

The masks of the published `SamAutomaticMaskGenerator` with the same settings, in the same order, found in another order of
work: scores are looked at before any mask is made, and masks leave as run lengths, never as frames. Called by `segmenter`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.rle import Runs
from models.segmenters.sam.enlarge import Enlarged, Enlarger, Frame
from models.segmenters.sam.network import Embedding
from models.segmenters.sam.nms import suppress
from models.segmenters.sam.promptable import Promptable
from models.segmenters.sam.prompts import FOREGROUND, PADDING

_EDGE_PX = 20.0
"""A mask whose box comes this near to the edge of a crop, but not of the picture, is cut: another crop has it whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """Settings, with the published generator's defaults.

    `outputs` are the decoder's masks asked for, 1 to 3 of them; a pixel is in where its logit is above `level`. Crops: `crop_layers` more layers of 2 x 2, 4 x 4 ... overlapping crops, each with the grid divided by
    `crop_points_divisor` per layer.
    """

    points_per_side: int = 32
    outputs: tuple[int, ...] = (1, 2, 3)
    score_min: float = 0.88
    stability_min: float = 0.95
    stability_offset: float = 1.0
    level: float = 0.0
    most_iou: float = 0.7
    crop_layers: int = 0
    crop_most_iou: float = 0.7
    crop_overlap: float = 512 / 1500
    crop_points_divisor: int = 1
    points_at_once: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """N masks of one picture, best first within each crop; boxes and points in its pixels, boxes inclusive."""

    size_hw: tuple[int, int]
    runs: tuple[Runs, ...]
    boxes_xyxy_px: NDArray[np.int64]  # (N, 4)
    scores: NDArray[np.float32]  # (N,) predicted IoU
    stability: NDArray[np.float32]  # (N,)
    points_xy_px: NDArray[np.float64]  # (N, 2) the prompt that found it
    outputs: NDArray[np.int64]  # (N,) the decoder's output it came from
    crops_xyxy_px: NDArray[np.int64]  # (N, 4)


@dataclass(slots=True)
class _Candidates:
    """What one crop collects."""

    masks: list[Enlarged]
    scores: list[float]
    points: list[NDArray[np.float64]]
    outputs: list[int]


def find_everything(
    network: Promptable, image: NDArray[np.uint8], settings: Everything, whole: Embedding | None = None
) -> Found:
    """Return the masks of `image` ((H, W, 3) uint8 RGB); `whole` is its embedding where it is known already."""
    size_hw = (image.shape[0], image.shape[1])
    crops = list(crop_boxes(size_hw, settings.crop_layers, settings.crop_overlap))
    embeddings = _embeddings(network, [image[y0:y1, x0:x1] for (x0, y0, x1, y1), _ in crops], whole)
    parts = [
        _in_crop(network, embedding, crop, layer, size_hw, settings)
        for embedding, (crop, layer) in zip(embeddings, crops, strict=True)
    ]
    found = parts[0] if len(parts) == 1 else _joined(parts)
    if len(crops) > 1 and len(found.runs):
        areas = (found.crops_xyxy_px[:, 2:] - found.crops_xyxy_px[:, :2]).prod(axis=1)
        smaller_first = (np.float32(1) / areas.astype(np.float32)).astype(np.float32)
        keep = suppress(found.boxes_xyxy_px.astype(np.float32), smaller_first, settings.crop_most_iou)
        found = _taken(found, keep)
    return found


def point_grid(per_side: int) -> NDArray[np.float64]:
    """Points in the middles of `per_side` x `per_side` cells of the unit square, row by row: (n, 2)."""
    offset = 1 / (2 * per_side)
    steps = np.linspace(offset, 1 - offset, per_side)
    x, y = np.meshgrid(steps, steps)
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def crop_boxes(
    size_hw: tuple[int, int], layers: int, overlap: float
) -> Iterator[tuple[tuple[int, int, int, int], int]]:
    """Yield (x0, y0, x1, y1) and layer of the whole picture and of the crops of each further layer."""
    high, wide = size_hw
    yield (0, 0, wide, high), 0
    for layer in range(1, layers + 1):
        per_side = 2**layer
        shared = int(overlap * min(size_hw) * (2 / per_side))
        w, h = (math.ceil((shared * (per_side - 1) + side) / per_side) for side in (wide, high))
        for x0 in (int((w - shared) * i) for i in range(per_side)):
            for y0 in (int((h - shared) * i) for i in range(per_side)):
                yield (x0, y0, min(x0 + w, wide), min(y0 + h, high)), layer


def _embeddings(
    network: Promptable, pictures: Sequence[NDArray[np.uint8]], whole: Embedding | None
) -> Iterator[Embedding]:
    """Encode the crops as they are needed: one at a time on a CPU, several per forward pass on an accelerator."""
    if whole is not None:
        yield whole
        pictures = pictures[1:]
    at_once = pictures_at_once(network)
    for at in range(0, len(pictures), at_once):
        yield from network.encode(pictures[at : at + at_once])


def pictures_at_once(network: Promptable) -> int:
    """Pictures per forward pass of the encoder: ViT-H in bfloat16 takes 2-3 GB for each."""
    return 1 if network.device.type == "cpu" else 8


def _in_crop(
    network: Promptable,
    embedding: Embedding,
    crop: tuple[int, int, int, int],
    layer: int,
    size_hw: tuple[int, int],
    settings: Everything,
) -> Found:
    frame = Frame(origin_xy=(crop[0], crop[1]), size_hw=size_hw)
    per_side = int(settings.points_per_side / settings.crop_points_divisor**layer)
    points = point_grid(per_side) * np.array(embedding.size_hw[::-1])[None]
    candidates = _candidates(network, embedding, points, frame, settings)
    found = _found(candidates, crop, size_hw)
    whole = np.array([0, 0, size_hw[1], size_hw[0]])
    near = np.abs(found.boxes_xyxy_px[:, None] - np.stack([np.array(crop), whole])[None]) <= _EDGE_PX
    found = _taken(found, np.flatnonzero(~(near[:, 0] & ~near[:, 1]).any(axis=1)))
    keep = suppress(
        (found.boxes_xyxy_px - found.crops_xyxy_px[:, [0, 1, 0, 1]]).astype(np.float32), found.scores, settings.most_iou
    )
    return _taken(found, keep)


def _candidates(
    network: Promptable, embedding: Embedding, points: NDArray[np.float64], frame: Frame, settings: Everything
) -> _Candidates:
    """Masks of all points (n, 2), in crop pixels, that pass score and stability."""
    image = network.prompted(embedding)
    got = _Candidates(masks=[], scores=[], points=[], outputs=[])
    enlarger: Enlarger | None = None
    for at in range(0, len(points), at_once := settings.points_at_once or _points_at_once(network)):
        some = points[at : at + at_once]
        prompts = np.stack([some, np.zeros_like(some)], axis=1)
        decoded = image.decode(prompts, np.tile(np.array([FOREGROUND, PADDING]), (len(some), 1)))
        scores = decoded.scores[:, list(settings.outputs)]
        passed = (scores > settings.score_min).cpu() if settings.score_min > 0 else torch.ones_like(scores).bool().cpu()
        prompt = passed.any(dim=1).nonzero()[:, 0]
        if not len(prompt):
            continue
        logits = image.masks(decoded.take(prompt.to(network.device)), settings.outputs)
        chosen = logits[passed[prompt].to(network.device)]
        if enlarger is None:
            low_hw = (logits.shape[2], logits.shape[3])
            enlarger = Enlarger(embedding, network.image_px, low_hw, network.low_px, frame, level=settings.level)
        masks = enlarger(chosen, settings.stability_min, settings.stability_offset)
        where = passed.nonzero().tolist()
        values = scores.cpu()[passed].tolist()
        for mask, (row, column), score in zip(masks, where, values, strict=True):
            if mask is not None:
                got.masks.append(mask)
                got.scores.append(score)
                got.points.append(some[row])
                got.outputs.append(settings.outputs[column])
    return got


def _points_at_once(network: Promptable) -> int:
    """On a CPU so few that the image tokens of a batch (4 MB a point) stay in its cache; on an accelerator many."""
    return 4 if network.device.type == "cpu" else 256


def _found(got: _Candidates, crop: tuple[int, int, int, int], size_hw: tuple[int, int]) -> Found:
    offset = np.array([crop[0], crop[1]])
    boxes = np.array([mask.box_xyxy_px for mask in got.masks], np.int64).reshape(-1, 4)
    return Found(
        size_hw=size_hw,
        runs=tuple(mask.runs for mask in got.masks),
        boxes_xyxy_px=boxes + np.tile(offset, 2),
        scores=np.array(got.scores, np.float32),
        stability=np.array([mask.stability for mask in got.masks], np.float32),
        points_xy_px=np.array(got.points).reshape(-1, 2) + offset,
        outputs=np.array(got.outputs, np.int64),
        crops_xyxy_px=np.tile(np.array(crop, np.int64), (len(got.masks), 1)),
    )


def _taken(found: Found, index: NDArray[np.int64]) -> Found:
    return Found(
        size_hw=found.size_hw,
        runs=tuple(found.runs[i] for i in index.tolist()),
        boxes_xyxy_px=found.boxes_xyxy_px[index],
        scores=found.scores[index],
        stability=found.stability[index],
        points_xy_px=found.points_xy_px[index],
        outputs=found.outputs[index],
        crops_xyxy_px=found.crops_xyxy_px[index],
    )


def _joined(parts: Sequence[Found]) -> Found:
    return Found(
        size_hw=parts[0].size_hw,
        runs=tuple(runs for part in parts for runs in part.runs),
        boxes_xyxy_px=np.concatenate([part.boxes_xyxy_px for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        stability=np.concatenate([part.stability for part in parts]),
        points_xy_px=np.concatenate([part.points_xy_px for part in parts]),
        outputs=np.concatenate([part.outputs for part in parts]),
        crops_xyxy_px=np.concatenate([part.crops_xyxy_px for part in parts]),
    )
