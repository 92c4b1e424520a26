"""The published metrics of Set-of-Mark tasks (SoM, section 4), as small functions on regions and true masks.

Referring segmentation: mIoU; referring comprehension: ACC@0.5; phrase grounding: Recall@1; open-vocabulary segmentation: precision;
video object segmentation: J (DAVIS' region similarity). A missing answer scores 0, never nothing. Knows no model.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.regions import Regions
from models.rle import Rle

Box = Sequence[float]
HIT_IOU = 0.5


def mask_iou(found: Rle | None, truth: Rle) -> float:
    """Return the overlap of two masks of one frame, 0-1; 0 where nothing was found."""
    if found is None:
        return 0.0
    return float(np.asarray(coco.iou([found], [truth], [0]))[0, 0])


def box_iou(found: Box | None, truth: Box) -> float:
    """Return the overlap of two boxes (x0, y0, x1, y1), half-open, 0-1; 0 where nothing was found or nothing has an area."""
    if found is None:
        return 0.0
    width = min(found[2], truth[2]) - max(found[0], truth[0])
    height = min(found[3], truth[3]) - max(found[1], truth[1])
    shared = max(width, 0.0) * max(height, 0.0)
    whole = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (found, truth)) - shared
    return shared / whole if whole > 0 else 0.0


def union_mask(regions: Regions, indices: Sequence[int]) -> Rle | None:
    """Return the mask of several regions together, None for none: an expression may mean several marks."""
    if not indices:
        return None
    merged = coco.merge([_bytes(regions.rles[i]) for i in indices])
    return {"size": list(regions.size_hw), "counts": merged["counts"].decode("ascii")}


def mean_iou(overlaps: Sequence[float]) -> float:
    """MIoU over expressions (referring segmentation), and J over objects and frames (video object segmentation)."""
    return float(np.mean(overlaps)) if overlaps else 0.0


def accuracy_at(overlaps: Sequence[float], threshold: float = HIT_IOU) -> float:
    """ACC@0.5: the share of expressions whose box overlaps the true one by at least `threshold` (referring comprehension)."""
    return float(np.mean([overlap >= threshold for overlap in overlaps])) if overlaps else 0.0


def recall_at_1(first: Sequence[Box | None], truths: Sequence[Sequence[Box]], threshold: float = HIT_IOU) -> float:
    """Recall@1 (phrase grounding): the share of phrases whose first box overlaps any of its true boxes by `threshold`.

    `first[i]` is the box of the first mark of phrase i, None where it has none. Raises ValueError when the counts differ.
    """
    hits = [any(box_iou(box, truth) >= threshold for truth in boxes) for box, boxes in zip(first, truths, strict=True)]
    return float(np.mean(hits)) if hits else 0.0


def precision(labels: Mapping[str, str], truth: Mapping[str, str]) -> float:
    """Return the share of true marks whose label is right, after case and blanks (open-vocabulary segmentation)."""
    right = [_plain(labels.get(mark, "")) == _plain(name) for mark, name in truth.items()]
    return float(np.mean(right)) if right else 0.0


def jaccard(found: Mapping[str, Rle | None], truth: Mapping[str, Rle]) -> float:
    """Return J of one frame: the mean overlap over the true objects, keyed by object."""
    return mean_iou([mask_iou(found.get(name), mask) for name, mask in truth.items()])


def rle_of(mask: NDArray[np.bool_]) -> Rle:
    """Return the compressed COCO mask of an (H, W) bool array."""
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(v) for v in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def _bytes(rle: Rle) -> dict[str, object]:
    return {"size": rle["size"], "counts": rle["counts"].encode("ascii")}


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
