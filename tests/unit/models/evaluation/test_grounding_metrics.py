"""The metrics on masks whose overlap is known, and on what the tasks really answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import grounding as metrics
from models.grounding import ground
from models.regions import Regions
from models.vlm.fake import FakeBackend
from tests.unit.models.grounding.test_tasks import frames

SIZE = (20, 30)


def square(x: int, y: int, side: int = 10) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[y : y + side, x : x + side] = True
    return mask


def test_masks_and_boxes_overlap_as_counted_by_hand() -> None:
    one, other = metrics.rle_of(square(0, 0)), metrics.rle_of(square(5, 0))
    assert metrics.mask_iou(one, one) == 1.0
    assert metrics.mask_iou(one, other) == pytest.approx(50 / 150)
    assert metrics.mask_iou(None, one) == 0.0
    assert metrics.box_iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert metrics.box_iou((0, 0, 0, 0), (0, 0, 0, 0)) == metrics.box_iou(None, (0, 0, 1, 1)) == 0.0


BOX = st.tuples(*[st.integers(0, 20)] * 4).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


@given(BOX, BOX)
def test_box_overlap_is_symmetric_and_agrees_with_masks(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    masks = []
    for x0, y0, x1, y1 in (one, other):
        mask = np.zeros((20, 20), bool)
        mask[y0:y1, x0:x1] = True
        masks.append(metrics.rle_of(mask))
    assert metrics.box_iou(one, other) == metrics.box_iou(other, one)
    assert metrics.box_iou(one, other) == pytest.approx(metrics.mask_iou(masks[0], masks[1]))


def test_several_marks_are_scored_as_one_mask() -> None:
    regions = Regions.from_masks(SIZE, [square(0, 0), square(15, 5)])
    both = metrics.union_mask(regions, [0, 1])
    assert metrics.mask_iou(both, metrics.rle_of(square(0, 0) | square(15, 5))) == 1.0
    assert metrics.union_mask(regions, []) is None


def test_what_is_missing_scores_zero() -> None:
    assert metrics.mean_iou([1.0, 0.5, 0.0]) == 0.5
    assert metrics.accuracy_at([0.5, 0.49, 1.0, 0.0]) == 0.5
    box = (0.0, 0.0, 10.0, 10.0)
    assert metrics.recall_at_1([box, None, (50, 50, 60, 60)], [[(90, 90, 95, 95), box], [box], [box]]) == pytest.approx(
        1 / 3
    )
    assert metrics.precision(
        {"1": "Red  Circle", "2": "dog"}, {"1": "red circle", "2": "cat", "3": "car"}
    ) == pytest.approx(1 / 3)
    assert (
        metrics.jaccard(
            {"a": metrics.rle_of(square(0, 0)), "b": None}, dict.fromkeys("ab", metrics.rle_of(square(0, 0)))
        )
        == 0.5
    )
    with pytest.raises(ValueError):
        metrics.recall_at_1([box], [])
    assert metrics.mean_iou([]) == metrics.accuracy_at([]) == metrics.precision({}, {}) == 0.0


def test_j_of_a_moving_scene_is_that_of_its_true_masks() -> None:
    request, truth = frames(3)
    target = request.target
    assert target is not None
    result = ground(FakeBackend(), request)
    region = {mark.id: target.regions.rles[mark.region_index] for mark in target.marking.marks}
    found = {pair.mark: region[pair.target_mark] for pair in result.correspondences}
    assert metrics.jaccard(found, {mark: region[other] for mark, other in truth.items()}) == 1.0
