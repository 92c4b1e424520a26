"""Target maps: the smaller element wins, ignored boxes ask nothing, sizes go to their level."""

import numpy as np

from models.detector.targets import IGNORED, target_maps


def _maps(boxes: list[list[float]], roles: list[int], stride: int = 8):
    return target_maps(np.array(boxes, np.float32), np.array(roles, np.int64), (128, 160), stride)


def test_the_middle_cell_knows_its_box() -> None:
    maps = _maps([[16, 24, 96, 56]], [3])
    row, column = 40 // 8, 56 // 8
    assert (maps.kind[row, column], maps.role[row, column]) == (1, 3)
    x, y = (column + 0.5) * 8, (row + 0.5) * 8
    np.testing.assert_allclose(maps.edges[:, row, column] * 8, [x - 16, y - 24, 96 - x, 56 - y])
    np.testing.assert_allclose(np.square(maps.weight).sum(), 1, rtol=1e-5)


def test_the_smaller_of_two_wins_its_place() -> None:
    maps = _maps([[0, 0, 160, 64], [60, 20, 100, 44]], [0, 5])
    assert maps.role[32 // 8, 80 // 8] == 5
    assert maps.kind[32 // 8, 80 // 8] == 1


def test_ignored_boxes_ask_nothing_but_what_lies_in_them_counts() -> None:
    maps = _maps([[0, 0, 160, 128], [60, 20, 100, 44]], [IGNORED, 5])
    assert maps.kind[15, 0] == -1
    assert maps.kind[32 // 8, 80 // 8] == 1
    assert not (maps.kind == 0).any()


def test_a_check_box_lives_at_stride_4_and_a_wide_field_at_8() -> None:
    small, large = [[50, 50, 63, 63]], [[10, 40, 150, 80]]
    assert (_maps(small, [5], 4).kind == 1).any()
    assert not (_maps(small, [5], 8).kind == 1).any()
    assert (_maps(large, [3], 8).kind == 1).any()
    assert not (_maps(large, [3], 4).kind == 1).any()


def test_every_small_element_has_a_cell_wherever_it_lies() -> None:
    for offset in np.linspace(0, 8, 33):
        maps = _maps([[40 + offset, 40 + offset, 46 + offset, 46 + offset]], [5], 4)
        assert (maps.kind == 1).any()
