"""Everything-mode gives the masks of the published SamAutomaticMaskGenerator, on small random networks."""

from collections import Counter

import numpy as np
import pytest
import torch
from pycocotools import mask as coco

from models import rle
from models.segmenters.sam.everything import Everything, Found, crop_boxes, find_everything
from models.segmenters.sam.network import SamNetwork, build
from tests.sam_reference import pictures, random_sam, reference


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def both(seed: int, picture: np.ndarray, *, keep: float, **settings: float) -> tuple[list[dict], Found]:
    """The reference's records and ours; pixels count above the logit that `keep` of them reach, so that boxes differ."""
    sam = random_sam(seed)
    network = build(sam.state_dict())
    image = network.prompted(network.encode([picture])[0])
    points = np.random.default_rng(0).uniform(0, 1, (8, 2, 2)) * picture.shape[1::-1]
    decoded = image.decode(points, np.tile([[1, -1]], (8, 1)))
    level = float(np.quantile(image.masks(decoded, (1, 2, 3)).numpy(), 1 - keep))
    score_min = float(np.quantile(decoded.scores[:, 1:].numpy(), 0.15))
    chosen = Everything(score_min=score_min, level=level, stability_offset=0.1, **settings)
    sam.mask_threshold = level
    generator = reference().SamAutomaticMaskGenerator(
        sam,
        points_per_side=chosen.points_per_side,
        pred_iou_thresh=chosen.score_min,
        stability_score_thresh=chosen.stability_min,
        stability_score_offset=chosen.stability_offset,
        box_nms_thresh=chosen.most_iou,
        crop_n_layers=chosen.crop_layers,
        crop_nms_thresh=chosen.crop_most_iou,
        crop_n_points_downscale_factor=chosen.crop_points_divisor,
        output_mode="coco_rle",
    )
    return generator.generate(picture), find_everything(network, picture, chosen)


def agree(theirs: list[dict], ours: Found) -> None:
    """Same number, same order, same masks, boxes, scores, prompts and crops."""
    assert len(ours.runs) == len(theirs)
    for at, record in enumerate(theirs):
        mine = {"size": list(ours.size_hw), "counts": rle.write_counts(ours.runs[at])}
        assert coco.iou([mine], [record["segmentation"]], [0])[0, 0] >= 0.999
        x0, y0, x1, y1 = ours.boxes_xyxy_px[at].tolist()
        assert [x0, y0, x1 - x0, y1 - y0] == record["bbox"]
        assert ours.scores[at] == pytest.approx(record["predicted_iou"], abs=1e-5)
        assert ours.stability[at] == pytest.approx(record["stability_score"], abs=0.01)  # one pixel of a speckle
        assert ours.points_xy_px[at].tolist() == record["point_coords"][0]
        left, top, right, bottom = ours.crops_xyxy_px[at].tolist()
        assert [left, top, right - left, bottom - top] == record["crop_box"]


@pytest.mark.parametrize("index", range(3))
def test_the_masks_are_the_references_when_hundreds_pass(index):
    theirs, ours = both(index, pictures(3)[index], keep=0.3, points_per_side=9, stability_min=0.2, most_iou=1.0)
    agree(theirs, ours)
    assert len(theirs) >= 100


@pytest.mark.parametrize(("seed", "fewest", "crops"), [(3, 100, 3), (4, 10, 1)])
def test_the_masks_are_the_references_with_overlapping_crops(seed, fewest, crops):
    options = {"crop_layers": 1, "crop_points_divisor": 2, "most_iou": 1.0, "crop_most_iou": 1.0}
    theirs, ours = both(seed, pictures(5)[4], keep=0.004, points_per_side=14, stability_min=1e-4, **options)
    agree(theirs, ours)
    assert len(theirs) >= fewest
    assert len(Counter(map(tuple, ours.crops_xyxy_px.tolist()))) >= crops


def test_duplicates_go_as_in_the_reference():
    theirs, ours = both(3, pictures(5)[4], keep=0.004, points_per_side=9, stability_min=1e-4, most_iou=0.5)
    agree(theirs, ours)
    assert 3 <= len(theirs) <= 100


def test_crops_cover_the_picture_and_overlap():
    boxes = list(crop_boxes((300, 500), 2, 512 / 1500))
    assert [layer for _, layer in boxes] == [0] + [1] * 4 + [2] * 16
    seen = np.zeros((2, 300, 500), int)
    for (x0, y0, x1, y1), layer in boxes[1:]:
        seen[layer - 1, y0:y1, x0:x1] += 1
    assert seen.min() == 1
    assert seen.max() == 4


def test_nothing_passes_an_unreachable_score(small_network: SamNetwork):
    found = find_everything(small_network, pictures(1)[0], Everything(points_per_side=2, score_min=1e9))
    assert len(found.runs) == 0
    assert found.boxes_xyxy_px.shape == (0, 4)
