"""The detector's own arithmetic: decoding of the maps, suppression, strips; and what it says without weights or with bad input."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadImage, WeightsMissing
from models.segmenters.detector import ElementDetector, _strips, _working_scale, decode, suppress


def _maps(cells: dict[tuple[int, int], tuple[float, list[float], int]]) -> list[np.ndarray]:
    """One stride-8 level of 10x20 cells, silent but for `cells`: (row, column) -> log-odds, edges in px, role of 3."""
    level = np.full((1, 8, 10, 20), -9, np.float32)
    for (row, column), (logit, edges, role) in cells.items():
        level[0, 0, row, column] = logit
        level[0, 1:5, row, column] = np.log(np.array(edges) / 8)
        level[0, 5 + role, row, column] = 3
    return [level]


def test_a_cell_is_decoded_from_its_centre() -> None:
    boxes, scores, roles = decode(_maps({(2, 5): (2.0, [20, 6, 36, 10], 1)}), (8,), 0.3)
    np.testing.assert_allclose(boxes, [[44 - 20, 20 - 6, 44 + 36, 20 + 10]], atol=1e-3)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2))], atol=1e-6)
    assert roles.tolist() == [1]


def test_cells_below_the_threshold_are_silent() -> None:
    maps = _maps({(2, 5): (0.1, [9] * 4, 0), (7, 9): (-0.1, [9] * 4, 0)})
    assert decode(maps, (8,), 0.5)[0].shape == (1, 4)
    assert decode(maps, (8,), 0.6)[0].shape == (0, 4)


def test_suppression_keeps_the_better_of_two_and_every_neighbour() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [10, 0, 20, 10], [2, 2, 6, 6]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.9, 0.4, 0.3], np.float32), 0.5).tolist() == [1, 2, 3]


@pytest.mark.parametrize("height", [1, 1536, 1537, 4000, 12345])
def test_strips_cover_the_frame_and_overlap(height: int) -> None:
    strips = _strips(height)
    assert (strips[0][0], strips[-1][1]) == (0, height)
    assert all(bottom - top <= 1536 for top, bottom in strips)
    assert all(one[1] - other[0] == 192 for one, other in itertools.pairwise(strips))


def test_dense_screens_are_read_at_about_one_css_pixel_per_pixel() -> None:
    assert _working_scale(2560, 2.0) == 0.5
    assert _working_scale(1920, 1.0) == 1.0
    assert _working_scale(3840, 1.0) * 3840 == 1600


def test_missing_weights_and_bad_images_are_named_errors(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        ElementDetector(tmp_path / "none.onnx").detect(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(BadImage):
        ElementDetector(tmp_path / "none.onnx").detect(np.zeros((64, 64), np.uint8))
