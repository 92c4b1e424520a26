"""The judge of labels sees each fault it counts, and none where there is none."""

import numpy as np
import pytest

from tests.bench.mark_quality import quality
from tests.bench.synthetic import case, jittered

SIZE = (100, 200)


def box_mask(x0, y0, x1, y1):
    mask = np.zeros(SIZE, np.bool_)
    mask[y0:y1, x0:x1] = True
    return mask


LEFT, RIGHT, SMALL = box_mask(10, 10, 90, 90), box_mask(110, 10, 190, 90), box_mask(40, 40, 50, 50)


def test_labels_in_the_middle_of_their_regions_are_without_fault():
    found = quality([LEFT, RIGHT], [(40, 20, 60, 30), (140, 20, 160, 30)])
    assert (found.labels, found.centre_in_mask, found.centre_on_visible, found.centre_or_leader) == (2, 2, 2, 2)
    assert (found.touching, found.hidden_25, found.cut, found.over_half, found.hiding_any) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("labels", "leaders", "faults"),
    [
        ([(80, 20, 100, 30), (90, 20, 110, 30)], None, {"touching": 2, "hidden_25": 1, "hidden_50": 0}),
        ([(0, 20, 20, 30), (190, 20, 210, 30)], None, {"cut": 1, "centre_in_mask": 1}),
        ([(92, 20, 108, 30), (140, 20, 160, 30)], [(92.0, 25.0, 88.5, 25.5), None], {"centre_or_leader": 2}),
        ([(92, 20, 108, 30), (140, 20, 160, 30)], [(92.0, 25.0, 95.5, 25.5), None], {"centre_or_leader": 1}),
    ],
)
def test_each_fault_is_counted(labels, leaders, faults):
    found = quality([LEFT, RIGHT], labels, leaders)
    assert {name: getattr(found, name) for name in faults} == faults


def test_a_label_on_a_smaller_region_stands_on_nothing_visible_of_its_own_and_hides_it():
    found = quality([LEFT, SMALL], [(35, 38, 55, 52), (70, 20, 76, 26)])
    assert (found.centre_in_mask, found.centre_on_visible) == (1, 0)
    assert (found.hiding_any, found.hiding_roomy) == (1, 1)


def test_the_same_seed_draws_the_same_case_with_holes():
    one, two = (case(10, 5, (200, 300)) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert all(np.array_equal(a, b) for a, b in zip(one.masks, two.masks, strict=True))
    assert len(one.masks) == 10
    assert all(mask.any() for mask in jittered(one.masks, 1))
