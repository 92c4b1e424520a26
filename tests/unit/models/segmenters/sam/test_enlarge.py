"""Enlarging masks by crops and by whole frames gives what two bilinear interpolations give; suppression keeps torchvision's rule."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from models import rle
from models.regions import Regions
from models.segmenters.sam.enlarge import Enlarger, Frame
from models.segmenters.sam.network import Embedding, input_size
from models.segmenters.sam.nms import suppress
from tests.sam_reference import batched_nms

IMAGE_PX, LOW_PX = 256, 64


def blobs(count: int, low_hw: tuple[int, int], seed: int) -> torch.Tensor:
    """Smooth logits (N, h, w): waves with an offset, so that masks are small, large, striped, empty and full."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: low_hw[0], : low_hw[1]] / LOW_PX
    made = []
    for _ in range(count):
        fy, fx, py, px = rng.uniform(0.5, 4, 2).tolist() + rng.uniform(0, 6, 2).tolist()
        made.append(6 * np.sin(fy * 6 * y + py) * np.sin(fx * 6 * x + px) + rng.uniform(-7, 7))
    return torch.tensor(np.array(made), dtype=torch.float32)


def dense(logits: torch.Tensor, input_hw: tuple[int, int], size_hw: tuple[int, int]) -> torch.Tensor:
    """The published post-processing."""
    padded = functional.pad(logits, (0, LOW_PX - logits.shape[2], 0, LOW_PX - logits.shape[1]), value=-20.0)
    square = functional.interpolate(padded[None], (IMAGE_PX, IMAGE_PX), mode="bilinear", align_corners=False)
    cut = square[..., : input_hw[0], : input_hw[1]]
    return functional.interpolate(cut, size_hw, mode="bilinear", align_corners=False)[0]


@pytest.mark.parametrize("size_hw", [(200, 300), (256, 256), (77, 51), (512, 700), (3, 90)])
@pytest.mark.parametrize("way", ["crops", "frames"])
def test_masks_stability_and_boxes_are_the_published_ones(size_hw, way):
    input_hw = input_size(size_hw, IMAGE_PX)
    low_hw = tuple(min(LOW_PX, 4 * (-(-side // 16) + 1)) for side in input_hw)
    logits = blobs(24, low_hw, seed=size_hw[0])
    frame = Frame(origin_xy=(7, 5), size_hw=(size_hw[0] + 9, size_hw[1] + 20))
    embedding = Embedding(features=(logits,), size_hw=size_hw, input_hw=input_hw)
    enlarge = Enlarger(embedding, IMAGE_PX, low_hw, LOW_PX, frame, level=0.0)
    found = enlarge(logits, 0.0, 1.0) if way == "crops" else enlarge.in_frames(logits, 0.0, 1.0)
    large = dense(logits, input_hw, size_hw)
    for item, values in zip(found, large, strict=True):
        mask = (values > 0).numpy()
        text = {"size": list(frame.size_hw), "counts": rle.write_counts(item.runs)}
        mine = Regions.from_rles(frame.size_hw, [text]).mask(0)
        inside = mine[5 : 5 + size_hw[0], 7 : 7 + size_hw[1]]
        assert mine.sum() == inside.sum() == item.area_px == rle.area_of(item.runs)
        assert (inside != mask).sum() <= 2
        expected = float((values > 1).sum()) / float((values > -1).sum()) if (values > -1).any() else np.nan
        assert item.stability == pytest.approx(expected, abs=2 / max(1, float((values > -1).sum())), nan_ok=True)
        if (inside == mask).all() and mask.any():
            ys, xs = np.nonzero(mask)
            assert item.box_xyxy_px == (xs.min(), ys.min(), xs.max(), ys.max())


@pytest.mark.parametrize("way", ["crops", "frames"])
def test_unstable_and_empty_masks_go(way):
    logits = torch.stack([torch.full((64, 64), -9.0), torch.full((64, 64), 0.5), torch.full((64, 64), 9.0)])
    embedding = Embedding(features=(logits,), size_hw=(256, 256), input_hw=(256, 256))
    frame = Frame(origin_xy=(0, 0), size_hw=(256, 256))
    enlarge = Enlarger(embedding, IMAGE_PX, (64, 64), LOW_PX, frame, level=0.0)
    found = enlarge(logits, 0.9, 1.0) if way == "crops" else enlarge.in_frames(logits, 0.9, 1.0)
    assert [item is None for item in found] == [True, True, False]
    assert found[2].runs.tolist() == [0, 256 * 256]
    assert enlarge.in_frames(logits[:0], 0.9, 1.0) == []


@pytest.mark.parametrize("most_iou", [0.3, 0.7, 1.0])
def test_suppression_is_torchvisions(most_iou):
    rng = np.random.default_rng(3)
    low = rng.integers(0, 60, (300, 2))
    boxes = np.concatenate([low, low + rng.integers(0, 50, (300, 2))], axis=1).astype(np.float32)
    scores = rng.integers(0, 40, 300).astype(np.float32) / 40  # many ties
    expected = batched_nms(torch.from_numpy(boxes), torch.from_numpy(scores), torch.zeros(300), most_iou)
    assert suppress(boxes, scores, most_iou).tolist() == expected.tolist()
    assert suppress(boxes[:0], scores[:0], most_iou).tolist() == []
