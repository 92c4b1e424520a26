"""CTC decoding with places, and the shape of the network's input."""

import numpy as np

from models.segmenters.ocr.recognition import Reading, decode, network_input, place

ALPHABET = ("", "a", "b", "Ａ", " ")


def decoded(columns, filled=1.0):
    return decode(np.array(columns), np.linspace(0.5, 1.0, len(columns)).astype(np.float32), ALPHABET, filled)


def test_repeats_join_and_blanks_part():
    reading = decoded([0, 1, 1, 0, 1, 2, 0, 0])
    assert reading.text == "aab"
    np.testing.assert_allclose(reading.centres, (1.5 / 8, 4.5 / 8, 5.5 / 8))


def test_spaces_have_no_place_and_padding_stretches_places():
    reading = decoded([1, 4, 2, 0], filled=0.5)
    assert reading.text == "a b"
    np.testing.assert_allclose(reading.centres, (0.25, 1.0))


def test_wide_letters_become_narrow_ones_in_the_same_place():
    assert decoded([3, 0, 1, 0]).text == "Aa"


def test_nothing_is_an_empty_reading():
    assert decoded([0, 0]) == Reading(text="", score=0.0, centres=())


def test_doubtful_and_empty_readings_are_no_lines():
    box = (10.0, 0.0, 30.0, 10.0)
    assert place(Reading(text="a", score=0.4, centres=(0.5,)), box) is None
    assert place(Reading(text="", score=0.9, centres=()), box) is None
    assert place(Reading(text="a", score=0.9, centres=(0.5,)), box).char_x_px == (20.0,)


def test_short_lines_are_padded_to_what_the_network_was_trained_on():
    assert network_input(np.zeros((24, 40, 3), np.uint8)).shape == (1, 3, 48, 320)
    assert network_input(np.zeros((24, 401, 3), np.uint8)).shape == (1, 3, 48, 832)
