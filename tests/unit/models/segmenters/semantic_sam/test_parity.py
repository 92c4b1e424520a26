"""Our Semantic-SAM against a run of the published code: every tensor, the generator, and full-size names and shapes."""

import numpy as np
import pytest
import torch
from pycocotools import mask as coco

from models import rle
from models.segmenters.semantic_sam.checkpoint import build
from models.segmenters.semantic_sam.everything import Everything, Found, find_everything
from models.segmenters.semantic_sam.network import SemanticSam
from models.segmenters.semantic_sam.shape import PUBLISHED_SHAPES, shape_of
from tests.semantic_sam_reference import (
    expected,
    faults,
    generator_runs,
    measured,
    names,
    needs_reference,
    network,
    run,
)

pytestmark = needs_reference
SETTING_OF = {
    "points_per_side": "points_per_side",
    "points_per_batch": "points_at_once",
    "pred_iou_thresh": "score_min",
    "stability_score_thresh": "stability_min",
    "box_nms_thresh": "most_iou",
    "min_mask_region_area": "least_px",
}
SYNTHETIC = ["synth_default", "synth_levels_6_2_4", "synth_lenient", "synth_no_region_cleanup", "synth_level_1"]
END_TO_END = ["default_levels_1to6", "lenient_levels_1to6", "lenient_levels_6_3"]


class Stated:
    """A picture whose answers are stated, click by click: the generator without a network."""

    size_hw, stride = (96, 128), 1

    def __init__(self) -> None:
        self._at = 0
        self._scores = run()["amg_synth.iou_point_slot"]
        self._logits = run()["amg_synth.logits_int8_times8_point_slot_h_w"].float() / 8

    def ask(self, points: torch.Tensor) -> "Told":
        first, self._at = self._at, self._at + len(points)
        return Told(self._scores[first : self._at], self._logits[first : self._at])


class Told:
    def __init__(self, scores: torch.Tensor, masks: torch.Tensor) -> None:
        self.scores, self._masks = scores, masks

    def logits(self, clicks: torch.Tensor, slots: torch.Tensor) -> torch.Tensor:
        return self._masks[clicks, slots]


def settings_of(name: str) -> Everything:
    params = dict(generator_runs()[name]["params"])
    levels = tuple(params.pop("level", (1, 2, 3, 4, 5, 6)))
    return Everything(levels=levels, **{SETTING_OF[key]: value for key, value in params.items()})


def records(found: Found) -> list[dict]:
    """What was found in the published form; the four numbers of a point are its place and the side of a click."""
    made = []
    for index, runs in enumerate(found.runs):
        x0, y0, x1, y1 = found.boxes_xyxy_px[index].tolist()
        made.append(
            {
                "segmentation": {"size": list(found.size_hw), "counts": rle.write_counts(runs)},
                "area": rle.area_of(runs),
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "predicted_iou": float(found.scores[index]),
                "point_coords": [[*found.points_xy[index].tolist(), *[float(np.float32(0.005))] * 2]],
                "stability_score": float(found.stability[index]),
                "crop_box": [0, 0, found.size_hw[1], found.size_hw[0]],
            }
        )
    return made


def test_every_tensor_of_the_reference_is_ours_within_its_tolerance():
    found = measured(network())
    assert set(expected()) <= set(found)
    assert len(expected()) > 60
    assert faults(found) == []
    assert torch.equal(found["a.image_resized_uint8_hwc"], run()["a.image_resized_uint8_hwc"])


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_generator_is_exact_where_no_network_rounds(name):
    assert records(find_everything(Stated(), settings_of(name))) == generator_runs()[name]["masks"]


@pytest.mark.parametrize("name", END_TO_END)
def test_the_generator_finds_the_same_masks_from_pixels(name):
    loaded = network()
    loaded.short_px = 200
    with torch.no_grad():
        picture = loaded.prompted(loaded.encode([run()["a.image_original_uint8_hwc"].numpy()])[0])
        found = records(find_everything(picture, settings_of(name)))
    theirs = generator_runs()[name]["masks"]
    assert len(found) == len(theirs)
    for mine, other in zip(found, theirs, strict=True):
        assert coco.iou([mine["segmentation"]], [other["segmentation"]], [0])[0, 0] >= 0.995
        assert mine["point_coords"] == other["point_coords"]
        for key in ("predicted_iou", "stability_score"):
            assert mine[key] == pytest.approx(other[key], abs=1e-3)


@pytest.mark.parametrize("size", ["t", "l"])
def test_full_size_names_and_shapes_are_the_published_ones(size):
    listed = {entry["name"].removeprefix("model."): tuple(entry["shape"]) for entry in names(size)}
    assert shape_of(listed) == PUBLISHED_SHAPES[f"swin-{size}"]
    with torch.device("meta"):
        made = SemanticSam(shape_of(listed)).state_dict()
    used = {entry["name"].removeprefix("model.") for entry in names(size) if entry["role"] == "used"}
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == {name: listed[name] for name in used}


@pytest.mark.parametrize("size", ["t", pytest.param("l", marks=pytest.mark.slow)])
def test_full_size_networks_of_random_weights_run(size):
    """A file as published, copies and text heads included, of numbers that are small and different."""
    torch.manual_seed(0)
    state = {entry["name"]: torch.rand(entry["shape"]).sub_(0.5).mul_(0.1) for entry in names(size)}
    loaded = build(state)
    loaded.short_px = 64
    with torch.no_grad():
        picture = loaded.prompted(loaded.encode([np.zeros((50, 70, 3), np.uint8)])[0])
        answers = picture.ask(torch.tensor([[0.5, 0.5], [0.1, 0.9]]))
        logits = answers.logits(torch.tensor([1]), torch.tensor([5]))
    assert answers.scores.shape == (2, 6)
    assert logits.shape == (1, 16, 24)
    assert torch.isfinite(answers.scores).all()
    assert torch.isfinite(logits).all()
