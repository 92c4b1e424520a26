"""Cutting lines by where their characters stand, and a page's text that is recognised only as far as it is asked for."""

import numpy as np
import pytest

from models.segmenters.ocr import PageText, TextLine
from tests.unit.models.segmenters.screenshot import Screen

LINE = TextLine(text="Yes or No", bbox_xyxy_px=(0, 0, 90, 10), score=1.0, char_x_px=(5, 15, 25, 45, 55, 75, 85))


@pytest.mark.parametrize(
    ("span", "text"),
    [((0, 90), "Yes or No"), ((0, 30), "Yes"), ((40, 90), "or No"), ((28, 40), ""), ((10, 50), "es o")],
)
def test_a_line_is_cut_by_its_characters(span, text):
    assert LINE.slice_text(*span) == text
    cut = LINE.slice(*span)
    assert (cut.text, len(cut.char_x_px)) == (text, len(text.replace(" ", "")))


def test_a_line_without_positions_stays_whole_or_empty():
    line = TextLine(text="abc", bbox_xyxy_px=(0, 0, 30, 10), score=1.0)
    assert (line.slice_text(0, 20), line.slice_text(20, 30)) == ("abc", "")


def test_only_lines_that_are_asked_for_are_recognised_and_none_twice():
    screen = Screen()
    for row, words in enumerate(("Home", "News", "Help")):
        screen.text(40, 40 + 60 * row, words)
    text = PageText(screen, screen.image)
    assert (len(text.boxes), screen.recognised) == (3, [])
    assert [line.text for line in text.read([2, 0, 2])] == ["Home", "Help"]
    assert [line.text for line in text.read_all()] == ["Home", "News", "Help"]
    assert sorted(screen.recognised) == sorted(text.boxes)


def test_an_illegible_line_is_left_out_and_not_tried_again():
    class Blind(Screen):
        def recognise(self, image, boxes):
            self.recognised += boxes
            return [None for _ in boxes]

    screen = Blind()
    screen.text(40, 40, "Home")
    text = PageText(screen, np.zeros((400, 640, 3), np.uint8))
    assert (text.read_all(), text.read_all(), len(screen.recognised)) == ([], [], 1)
