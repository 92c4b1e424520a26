"""Bands over a picture and boxes from a drawn map of chances."""

import itertools

import cv2
import numpy as np
import pytest

from models.segmenters.ocr.detection import Band, bands, joined, lines_of, network_input, owns, reading_rows, zoom_for


@pytest.mark.parametrize("size_hw", [(8, 8), (800, 1280), (1000, 1600), (8000, 1280), (300, 3840), (5000, 90)])
def test_bands_own_every_row_once_and_stay_small(size_hw):
    every = bands(size_hw)
    assert (every[0].first, every[-1].last) == (0, size_hw[0])
    assert all(one.last == other.first for one, other in itertools.pairwise(every))
    assert all(0 <= one.top <= one.first < one.last <= one.bottom <= size_hw[0] for one in every)
    assert max((one.bottom - one.top) * size_hw[1] for one in every) < 1_200_000


def test_a_usual_page_is_two_bands_one_per_core():
    assert len(bands((800, 1280))) == 2


def test_a_line_at_the_seam_is_told_once():
    upper, lower = Band(top=0, bottom=148, first=0, last=100), Band(top=52, bottom=200, first=100, last=200)
    seen_above, seen_below = (10.0, 90.0, 60.0, 110.0), (10.0, 39.0, 60.0, 59.0)
    assert owns(upper, seen_above)
    assert owns(lower, seen_below)
    assert joined([(upper, [seen_above]), (lower, [seen_below])]) == [seen_above]


def test_a_line_well_inside_one_band_is_not_the_others():
    upper, lower = Band(top=0, bottom=148, first=0, last=100), Band(top=52, bottom=200, first=100, last=200)
    assert not owns(upper, (10.0, 110.0, 60.0, 130.0))
    assert not owns(lower, (10.0, 2.0, 60.0, 22.0))


def test_a_drawn_line_is_boxed_with_its_margin_and_a_faint_or_thin_one_is_not():
    chance = np.zeros((96, 320), np.float32)
    chance[40:50, 40:160] = 0.9
    chance[70:80, 40:160] = 0.35
    chance[10:12, 200:203] = 0.9
    (box,) = lines_of(chance, (192, 640))
    reach = 2 * 10 * 120 * 1.6 / (2 * 130)
    np.testing.assert_allclose(box, (80 - reach, 80 - reach, 320 + reach, 100 + reach), atol=4)


def test_a_slanted_line_gets_an_upright_box_round_it():
    chance = np.zeros((128, 256), np.float32)
    cv2.fillPoly(chance, [np.array([(40, 80), (200, 40), (203, 52), (43, 92)])], 0.9)
    (box,) = lines_of(chance, (128, 256))
    assert box[0] < 40
    assert box[2] > 203
    assert box[1] < 40 < 92 < box[3]


def test_rows_are_read_left_to_right():
    left, right, below = (10.0, 14.0, 60.0, 30.0), (200.0, 10.0, 260.0, 30.0), (10.0, 50.0, 60.0, 70.0)
    assert reading_rows([below, right, left]) == [left, right, below]


def test_the_network_gets_bgr_between_minus_one_and_one_on_its_grid():
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :, 0] = 255  # red
    blob = network_input(pixels)
    assert blob.shape == (1, 3, 64, 96)
    assert blob[0, :, 5, 5].tolist() == [-1, -1, 1]
    assert network_input(pixels[:50, :50]).shape == (1, 3, 64, 64)


def test_only_small_pictures_are_enlarged():
    assert (zoom_for((800, 1280)), zoom_for((200, 320))) == (1.0, 2.0)
    assert 1.0 < zoom_for((600, 800)) < 2.0
