"""Icons: what is drawn is cut out whatever its colours, and the shipped network names what buttons bear."""

import cv2
import numpy as np
import pytest

from models.icons.shapes import GLYPHS, drawings
from models.ranking.icon_names import SPOKEN, icon_of, marked_text
from models.segmenters.detected.icons import WEIGHTS, IconNamer
from models.segmenters.detected.ink import SIDE, ink_of


def menu(ink=(40, 40, 40), ground=(255, 255, 255), *, around=None):
    image = np.full((60, 60, 3), ground if around is None else around, np.uint8)
    if around is not None:
        cv2.circle(image, (30, 30), 19, ground, -1)
    for y in (23, 29, 35):
        image[y : y + 3, 21:39] = ink
    return image


def cross():
    image = np.full((60, 60, 3), 30, np.uint8)
    for one, other in (((23, 23), (37, 37)), ((37, 23), (23, 37))):
        cv2.line(image, one, other, (230, 230, 230), 2, cv2.LINE_AA)
    return image


BOX = (14.0, 14.0, 46.0, 46.0)


def test_ink_does_not_depend_on_colours_or_on_what_is_round_the_button():
    plain = ink_of(menu(), BOX)[0]
    assert plain.shape == (SIDE, SIDE)
    assert plain.max() == 1
    for other in (menu((255, 255, 0), (20, 20, 90)), menu(around=(10, 90, 40)), menu((0, 0, 0), (255, 255, 255))):
        assert np.abs(ink_of(other, BOX)[0] - plain).mean() < 0.03


def test_an_even_box_a_tiny_one_and_one_at_the_edge_hold_nothing():
    even = np.full((60, 60, 3), 200, np.uint8)
    assert ink_of(even, BOX) == []
    assert ink_of(even, (0.0, 0.0, 2.0, 2.0)) == []
    assert ink_of(even[:4], (0.0, 0.0, 60.0, 4.0)) == []


def test_a_frame_is_told_apart_from_what_it_frames():
    framed = menu()
    cv2.rectangle(framed, (15, 15), (45, 45), (90, 90, 90), 1)
    whole, inner = ink_of(framed, BOX)
    assert np.abs(inner - ink_of(menu(), BOX)[0]).mean() < 0.03
    assert np.abs(whole - inner).mean() > 0.1


def test_every_icon_is_drawn_in_several_ways_and_has_spoken_names():
    ways = drawings()
    assert set(ways) == set(SPOKEN)
    assert set(GLYPHS) <= set(SPOKEN)
    assert sum(map(len, ways.values())) > 300
    assert all(path[0] in "LFE" and path[1] == "M" for paths in ways.values() for path in paths)
    assert all(names and name not in names for name, names in SPOKEN.items())


def test_a_text_for_an_icon_is_told_from_a_text_that_was_read():
    assert icon_of(marked_text("search")) == "search"
    for text in ("search", "Search (icon) now", "nothing known (icon)", None, ""):
        assert icon_of(text) is None


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="the network is not shipped in this tree")
def test_the_shipped_network_names_a_menu_and_a_cross_and_no_letter():
    namer = IconNamer()
    letter = np.full((60, 60, 3), 255, np.uint8)
    cv2.putText(letter, "R", (22, 39), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
    named = [namer.name(image, [BOX])[0] for image in (menu(), cross(), letter)]
    assert [one and one.name for one in named] == ["menu", "close", None]


def test_without_weights_nothing_is_named(tmp_path):
    assert IconNamer(tmp_path / "absent.onnx").name(menu(), [BOX, BOX]) == [None, None]
