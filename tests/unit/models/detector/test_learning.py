"""The network and its loss: gradients reach every weight, a perfect answer costs little, export equals the network."""

import json
import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from models.detector.augment import clip_truth, cut
from models.detector.data import collate
from models.detector.export import write_onnx
from models.detector.losses import Targets, detection_loss
from models.detector.net import CHANNELS, STRIDES, ElementNet, parameter_count
from models.detector.optimizer import orthogonal
from models.detector.state import Run
from models.detector.targets import IGNORED
from models.pages.pen import ROLES
from models.segmenters.detector import ElementDetector


def _batch():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    boxes = np.array([[10, 10, 23, 23], [40, 20, 120, 60], [4, 70, 60, 90]], np.float32)
    return collate([(crop, boxes, np.array([5, 3, IGNORED], np.int64))] * 2)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    net, batch = ElementNet(), _batch()
    loss, parts = detection_loss(net(batch.pixels), batch.targets)
    loss.backward()
    assert math.isclose(float(loss.detach()), sum(parts.values()), rel_tol=1e-4)
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_maps_have_the_stated_shapes_and_the_net_its_size() -> None:
    net = ElementNet()
    maps = net(torch.zeros(1, 96, 128, 3, dtype=torch.uint8))
    assert [tuple(level.shape) for level in maps] == [(1, CHANNELS, 96 // s, 128 // s) for s in STRIDES]
    assert parameter_count(net) < 2_100_000


def test_a_perfect_answer_costs_almost_nothing() -> None:
    targets = _batch().targets
    maps = tuple(_perfect(level) for level in targets)
    assert float(detection_loss(maps, targets)[0]) < 0.05


def _perfect(level: Targets) -> torch.Tensor:
    found = torch.zeros(level.kind.shape[0], CHANNELS, *level.kind.shape[1:])
    found[:, 0] = torch.where(level.kind == 1, 12.0, -12.0)
    found[:, 1:5] = level.edges.log()
    found[:, 5:] = 20 * torch.nn.functional.one_hot(level.role, len(ROLES)).permute(0, 3, 1, 2)
    return found


def test_orthogonal_evens_out_singular_values() -> None:
    torch.manual_seed(0)
    uneven = torch.randn(32, 200) * torch.logspace(0, -1.5, 32)[:, None]
    values = torch.linalg.svdvals(orthogonal(uneven).float())
    assert values.min() > 0.3
    assert values.max() < 1.5


def test_the_exported_file_is_small_described_and_equal(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = ElementNet()
    with torch.no_grad():
        for _ in range(3):  # batch norms must hold something worth folding
            net.train()(torch.randint(0, 256, (2, 96, 96, 3), dtype=torch.uint8))
    path = tmp_path / "detector.onnx"
    assert write_onnx(net.eval(), path, threshold=0.25) < 0.05
    assert path.stat().st_size <= 8_000_000
    facts = onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map
    assert (json.loads(facts["roles"]), json.loads(facts["strides"]), facts["threshold"]) == (
        list(ROLES),
        [4, 8],
        "0.2500",
    )
    found = ElementDetector(path, threads=1).detect(np.zeros((70, 90, 3), np.uint8), threshold=0.001)
    assert found.boxes_xyxy_px.shape == (len(found), 4)
    assert (found.boxes_xyxy_px[:, 2] <= 90).all()


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.5])
def test_truth_follows_the_pixels_of_a_crop(scale: float) -> None:
    import random

    image = np.zeros((400, 600, 3), np.uint8)
    image[200:240, 300:380] = 255
    box = np.array([[300, 200, 380, 240]], np.float32)
    for seed in range(20):
        crop, boxes, roles = cut(
            random.Random(seed), image, box, np.array([2], np.int64), scale=scale, size_hw=(128, 160)
        )
        if not len(boxes) or roles[0] == IGNORED:
            continue
        ys, xs = np.nonzero(crop[:, :, 0] > 180)
        seen = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        np.testing.assert_allclose(boxes[0], seen, atol=1.6)


def test_what_is_mostly_cut_off_is_ignored() -> None:
    boxes = np.array([[-50, 0, 30, 20], [-10, 0, 70, 20], [-90, 0, -1, 20]], np.float32)
    kept, roles = clip_truth(boxes, np.array([1, 2, 3], np.int64), (100, 100))
    assert kept.tolist() == [[0, 0, 30, 20], [0, 0, 70, 20]]
    assert roles.tolist() == [IGNORED, 2]


def test_a_new_schedule_begins_with_the_weights_it_is_given() -> None:
    given, run = ElementNet(), Run(rate=1e-3, device=torch.device("cpu"))
    run.begin_with(given)
    for net in (run.net, run.average):
        assert all(torch.equal(one, other) for one, other in zip(net.parameters(), given.parameters(), strict=True))
    assert (run.step, run.crops) == (0, 0)
