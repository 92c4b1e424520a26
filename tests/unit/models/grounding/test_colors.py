"""Colours are named as people name them."""

import numpy as np
import pytest

from models.grounding.colors import colors_of


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((31, 111, 235), "blue"),
        ((47, 133, 90), "green"),
        ((201, 42, 42), "red"),
        ((240, 138, 36), "orange"),
        ((250, 204, 21), "yellow"),
        ((106, 27, 154), "purple"),
        ((236, 72, 153), "pink"),
        ((120, 72, 36), "brown"),
        ((20, 184, 166), "turquoise"),
        ((20, 20, 24), "black"),
        ((128, 130, 132), "grey"),
        ((252, 252, 252), "white"),
    ],
)
def test_a_filled_button_has_its_colour(rgb, name):
    image = np.full((60, 200, 3), 255, np.uint8)
    image[10:50, 20:180] = rgb
    image[25:35, 60:140] = (255, 255, 255)  # its caption
    found = colors_of(image, (20, 10, 180, 50))
    assert max(found, key=lambda color: found[color]) == name


def test_the_ink_of_a_link_is_seen_on_its_paper():
    image = np.full((20, 100, 3), 255, np.uint8)
    image[9:11, 10:90] = (200, 30, 30)
    assert set(colors_of(image, (0, 0, 100, 20))) == {"white", "red"}
    assert colors_of(image, (120, 0, 140, 10)) == {}
