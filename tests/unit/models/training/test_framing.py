"""Drawings through other frames, and as the service would show them."""

import numpy as np
import pytest

from models.marks import paint_for_model
from models.marks.for_model import PAD_RGB, close_up
from models.training.framing import framed
from models.training.varied import scene_of, served_view, show_labelled


def test_a_frame_cuts_picture_and_regions_alike():
    drawing = scene_of(21)
    height, width = drawing.regions.size_hw
    x0, y0, x1, y1 = window = (width // 4, -10, width + 20, height // 2)
    cut = framed(drawing, window)
    assert cut.regions.size_hw == cut.image.shape[:2] == (y1 - y0, x1 - x0)
    assert np.array_equal(cut.image[10:, : width - x0], drawing.image[: height // 2, x0:])
    assert (cut.image[:10] == PAD_RGB).all()
    assert (cut.image[:, width - x0 :] == PAD_RGB).all()
    assert (cut.names, len(cut.regions)) == (drawing.names, len(drawing.regions))
    for i in range(len(drawing.regions)):
        before, after = _frame(drawing.regions, i), _frame(cut.regions, i)
        assert np.array_equal(after[10:, : width - x0], before[: height // 2, x0:])
        assert not after[:10].any()
        assert not after[:, width - x0 :].any()


def test_what_lies_outside_the_frame_keeps_its_place_with_an_empty_mask():
    drawing = scene_of(21)
    x0, y0, x1, y1 = (int(value) for value in drawing.regions.boxes_xyxy_px[0])
    cut = framed(drawing, (x0, y0, x1, y1))
    assert len(cut.regions) == len(drawing.regions)
    assert cut.regions.crop(0)[1].any()
    assert not all(cut.regions.crop(i)[1].any() for i in range(len(drawing.regions)))


@pytest.mark.parametrize("seed", range(6))
def test_a_drawing_cut_to_its_marks_is_what_serving_paints(seed):
    drawing = scene_of(seed)
    ids = [str(number + 1) for number in range(len(drawing.regions))]
    served = paint_for_model(drawing.image, drawing.regions, ids, "markwise", 224, close=True)
    cut = framed(drawing, close_up(drawing.regions))
    painted = paint_for_model(cut.image, cut.regions, ids, "markwise", 224)
    # Contours and tags of scaled boxes may differ by a pixel's rounding; objects lie where they lay.
    assert (np.abs(served.astype(int) - painted).max(axis=2) > 40).mean() < 0.01


def test_every_mark_of_a_served_view_is_labelled():
    for seed in range(200_000, 200_020):
        drawing, view = served_view(seed)
        assert view.ids == tuple(str(number + 1) for number in range(len(drawing.names)))
        _, labels = show_labelled(drawing, view)
        assert {int(sign) for sign in labels[:, 1]} >= {int(number[-1]) + 1 for number in view.ids}


def _frame(regions, i):
    frame = np.zeros(regions.size_hw, np.bool_)
    (x0, y0), crop = regions.crop(i)
    frame[y0 : y0 + crop.shape[0], x0 : x0 + crop.shape[1]] = crop
    return frame
