"""The part of a picture that a small model is shown: all marks, as large as they can be."""

import numpy as np
import pytest

from models.marks.for_model import close_up, mark_for_model
from models.regions import Regions

SIZE_HW = (300, 400)
RED = (200, 0, 0)


def regions_of(*boxes: tuple[float, float, float, float]) -> Regions:
    return Regions.from_boxes(SIZE_HW, np.asarray(boxes, np.float32).reshape(-1, 4))


@pytest.mark.parametrize(
    ("boxes", "part"),
    [
        pytest.param([], (0, 0, 400, 300), id="nothing to look at"),
        pytest.param([(5, 5, 60, 60), (340, 240, 395, 295)], (0, 0, 400, 300), id="marks all over"),
        pytest.param([(180, 130, 220, 170)], (100, 50, 300, 250), id="never more than twice as large"),
        pytest.param([(0, 0, 30, 30)], (0, 0, 200, 200), id="in the corner"),
        pytest.param([(380, 280, 400, 300)], (200, 100, 400, 300), id="in the other corner"),
        pytest.param([(50, 40, 150, 260), (250, 40, 350, 260)], (44, 0, 356, 300), id="as high as the picture"),
    ],
)
def test_the_part(boxes: list[tuple[float, float, float, float]], part: tuple[int, int, int, int]) -> None:
    assert close_up(regions_of(*boxes)) == part


def test_every_region_is_inside_the_part() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        first = rng.uniform(0, (380, 280), (3, 2))
        boxes = np.hstack([first, np.minimum(first + rng.uniform(2, 90, (3, 2)), (400, 300))])
        x0, y0, x1, y1 = close_up(regions_of(*map(tuple, boxes)))
        assert 0 <= x0 <= boxes[:, 0].min()
        assert 0 <= y0 <= boxes[:, 1].min()
        assert boxes[:, 2].max() <= x1 <= 400
        assert boxes[:, 3].max() <= y1 <= 300


def test_marks_and_pixels_are_enlarged_together() -> None:
    image = np.full((*SIZE_HW, 3), 230, np.uint8)
    image[200:240, 300:340] = RED
    regions = regions_of((300, 200, 340, 240))
    (far, (small,)), (near, (large,)) = (
        mark_for_model(image, regions, ["1"], "markwise", 224, close=close) for close in (False, True)
    )
    assert small.bbox_xyxy_px[2] - small.bbox_xyxy_px[0] == pytest.approx(40 * 224 / 400)
    assert large.bbox_xyxy_px[2] - large.bbox_xyxy_px[0] == pytest.approx(40 * 224 / 200)
    for canvas, mark in ((far, small), (near, large)):
        red = (canvas.astype(int) - RED).__abs__().max(axis=2) < 30
        ys, xs = np.nonzero(red)
        assert (xs.min(), ys.min()) == pytest.approx(mark.bbox_xyxy_px[:2], abs=2)
        assert (xs.max(), ys.max()) == pytest.approx(mark.bbox_xyxy_px[2:], abs=3)
