"""Painting: the same bytes for the same input, only where marks are, and legible at a model's input size."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from models.errors import BadImage, BadRegions
from models.marks import STYLES, mark, mark_for_model, paint, paint_for_model, place
from models.marks.labels import color_of, label_ink, text_color
from models.regions import Regions
from tests.unit.models.marks.geometry import blobs, label_pixels, random_boxes, touching_pairs

SIZE = (300, 400)
IDS = [str(i + 1) for i in range(99)]


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(60, 200, (*SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("style", STYLES)
def test_same_input_gives_the_same_bytes_and_leaves_the_image_alone(image, style):
    regions = Regions.from_masks(SIZE, blobs(20, SIZE))
    before = image.copy()
    first, marking = mark(image, regions, style)
    second, again = mark(image, regions, style)
    assert np.array_equal(first, second)
    assert marking == again
    assert np.array_equal(image, before)
    assert not np.array_equal(first, image)


def test_mark_only_touches_nothing_but_labels_and_leaders(image):
    regions = Regions.from_boxes(SIZE, [[20, 20, 200, 200], [250, 50, 380, 280]])
    overlay, marking = mark(image, regions, "som-llava")
    under = label_pixels(marking, SIZE)
    assert np.array_equal(overlay[~under], image[~under])
    assert not np.array_equal(overlay[under], image[under])


def test_the_fill_blends_exactly_and_respects_holes(image):
    mask = np.zeros(SIZE, np.bool_)
    mask[50:250, 50:350] = True
    mask[100:150, 100:150] = False
    regions = Regions.from_masks(SIZE, [mask])
    marking = place(regions, replace(STYLES["som"], draw=("mask",), alpha=0.5))
    overlay = paint(image, regions, marking)
    color = np.asarray(marking.marks[0].color_rgb, np.float64)
    assert np.array_equal(overlay[~mask], image[~mask])
    assert np.abs(overlay[mask] - (image[mask] * 0.5 + color * 0.5)).max() <= 1


def test_a_stored_marking_paints_the_same_text_from_its_boxes_alone(image):
    regions = random_boxes(9, SIZE, low=0.1)
    marking = place(regions)
    overlay = paint(image, regions, marking)
    for one in marking.marks:
        x0, y0, x1, y1 = map(round, one.label_bbox_xyxy_px)
        ink = label_ink(one.id, y1 - y0)
        assert ink.shape == (y1 - y0, x1 - x0)
        assert (overlay[y0:y1, x0:x1][ink == 255] == text_color(one.color_rgb)).all()
        assert (overlay[y0:y1, x0:x1][ink == 0] == one.color_rgb).all()


def test_colors_of_one_image_differ_and_their_text_has_contrast():
    colors = [color_of(i) for i in range(99)]
    assert len(set(colors)) == 99

    def luminance(rgb):
        c = np.asarray(rgb) / 255
        c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(c @ [0.2126, 0.7152, 0.0722])

    for color in colors:
        light, dark = sorted((luminance(color), luminance(text_color(color))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_images_that_do_not_fit_are_refused(image):
    regions = Regions.from_boxes(SIZE, [[0, 0, 10, 10]])
    for bad in (image[:-1], image[:, :, 0], image.astype(np.float32), np.zeros((0, 0, 3), np.uint8)):
        with pytest.raises(BadImage):
            mark(bad, regions)
    with pytest.raises(BadRegions, match="one id per region"):
        paint_for_model(image, regions, ["1", "2"], "markwise", 224)


def test_the_models_picture_is_fitted_and_centred_on_grey():
    image = np.full((100, 200, 3), 255, np.uint8)
    picture = paint_for_model(image, Regions.empty((100, 200)), [], "markwise", 224)
    assert picture.shape == (224, 224, 3)
    assert (picture[56:168] == 255).all()
    assert (picture[:56] == 127).all()
    assert (picture[168:] == 127).all()


def test_the_models_labels_carry_the_given_ids_white_on_dark_at_16_px(image):
    regions = Regions.from_boxes(SIZE, [[20, 20, 190, 140], [210, 20, 390, 140], [20, 160, 190, 290]])
    picture, marks = mark_for_model(image, regions, ["7", "42", "3"], "markwise", 224)
    assert [one.id for one in marks] == ["7", "42", "3"]
    for one in marks:
        x0, y0, x1, y1 = map(round, one.label_bbox_xyxy_px)
        assert y1 - y0 == 16
        ink = label_ink(one.id, 16)
        assert np.array_equal(picture[y0:y1, x0:x1], np.repeat(ink[:, :, None], 3, 2))
        bx0, by0, bx1, by1 = one.bbox_xyxy_px
        assert bx0 <= one.point_xy_px[0] < bx1
        assert by0 <= one.point_xy_px[1] < by1


def test_the_models_boxes_follow_scale_and_padding():
    image = np.zeros((600, 300, 3), np.uint8)
    regions = Regions.from_boxes((600, 300), [[150, 300, 300, 600]])
    _, (one,) = mark_for_model(image, regions, ["1"], "markwise", 224)
    assert one.bbox_xyxy_px == (112.0, 112.0, 168.0, 224.0)


@pytest.mark.parametrize(("count", "least"), [(8, 16), (20, 14), (99, 10)])
def test_the_models_labels_shrink_only_when_crowded(count, least):
    regions = random_boxes(count, (800, 1280), low=0.05, high=0.15)
    picture, marks = mark_for_model(np.zeros((800, 1280, 3), np.uint8), regions, IDS[:count], "markwise", 224)
    assert picture.shape == (224, 224, 3)
    assert min(one.label_bbox_xyxy_px[3] - one.label_bbox_xyxy_px[1] for one in marks) >= least
    if count <= 20:
        assert touching_pairs(type("M", (), {"marks": marks})) == []


def test_a_region_too_small_for_the_models_picture_still_gets_its_mark():
    image = np.zeros((2000, 2000, 3), np.uint8)
    regions = Regions.from_boxes((2000, 2000), [[1000, 1000, 1002, 1002], [0, 0, 1, 1]])
    _, marks = mark_for_model(image, regions, ["1", "2"], "markwise", 224)
    assert [one.id for one in marks] == ["1", "2"]
    assert all(one.leader is not None for one in marks)


def test_marks_load_no_model_runtime():
    code = (
        "import sys, models.marks, models.regions;"
        "print([m for m in ('torch', 'transformers', 'onnxruntime') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
