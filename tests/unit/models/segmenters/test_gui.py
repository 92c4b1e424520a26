"""The screenshot segmenter on drawn pages: what becomes a mark, with which role and text."""

import numpy as np
import pytest

from models.protocols import SegmentRequest
from models.segmenters.gui import GuiSegmenter
from models.segmenters.screen_scale import working_copy
from tests.unit.models.segmenters.screenshot import Screen


def found(screen, image=None, **request):
    regions = GuiSegmenter(screen).segment(screen.image if image is None else image, SegmentRequest(**request))
    return [
        (regions.roles[i], regions.texts[i], tuple(float(v) for v in regions.boxes_xyxy_px[i]))
        for i in range(len(regions))
    ]


def named(marks, role):
    return [text for kind, text, _ in marks if kind == role]


def near(box, expected, slack=3):
    return all(abs(a - b) <= slack for a, b in zip(box, expected, strict=True))


def test_a_button_is_one_mark_with_its_caption():
    screen = Screen()
    screen.button((40, 40, 160, 72), "Save file")
    ((role, text, box),) = found(screen)
    assert (role, text) == ("button", "Save file")
    assert near(box, (40, 40, 161, 73))


def test_an_empty_field_takes_the_label_left_of_it():
    screen = Screen()
    screen.text(20, 42, "Email address")
    screen.field((160, 36, 400, 66))
    screen.text(20, 92, "Phone")
    screen.field((160, 86, 400, 116))
    assert named(found(screen), "textbox") == ["Email address", "Phone"]


def test_an_empty_field_takes_the_label_above_it():
    screen = Screen()
    screen.text(40, 40, "Full name")
    screen.field((40, 64, 300, 94))
    assert named(found(screen), "textbox") == ["Full name"]


def test_a_dark_field_with_a_placeholder_is_a_field():
    screen = Screen(paper=(24, 26, 30))
    screen.field((40, 40, 360, 72), line=(90, 94, 100))
    screen.text(48, 46, "Search", (150, 150, 150))
    assert named(found(screen), "textbox") == ["Search"]


def test_tick_boxes_take_the_text_to_their_right():
    screen = Screen()
    screen.pen.rectangle((40, 44, 52, 56), outline=(110, 110, 110))
    screen.text(60, 40, "Remember me")
    screen.pen.ellipse((240, 44, 254, 58), outline=(110, 110, 110))
    screen.text(262, 40, "One way")
    marks = found(screen)
    assert named(marks, "checkbox") == ["Remember me"]
    assert named(marks, "radio") == ["One way"]


def test_a_panel_round_controls_gets_no_mark():
    screen = Screen()
    screen.pen.rectangle((20, 20, 620, 80), fill=(230, 230, 230))
    screen.button((40, 34, 140, 66), "Copy")
    screen.button((160, 34, 260, 66), "Paste")
    assert named(found(screen), "button") == ["Copy", "Paste"]
    assert len(found(screen)) == 2


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_doubled_screenshot_gives_the_same_marks_at_twice_the_place(ratio):
    screen = Screen()
    screen.button((40, 40, 160, 72), "Save file")
    screen.text(20, 142, "Phone")
    screen.field((160, 136, 400, 166))
    doubled = np.repeat(np.repeat(screen.image, 2, axis=0), 2, axis=1)
    single, double = found(screen), found(screen, doubled, device_pixel_ratio=ratio)
    assert [mark[:2] for mark in double] == [mark[:2] for mark in single]
    for (_, _, one), (_, _, two) in zip(single, double, strict=True):
        assert near(two, [2 * value for value in one], slack=8 if ratio == 2.0 else 24)


def test_a_blank_page_has_no_marks():
    assert found(Screen()) == []


def test_the_same_screen_is_looked_at_once_and_a_changed_one_anew():
    screen = Screen()
    screen.button((40, 40, 160, 72), "Save file")
    segmenter = GuiSegmenter(screen)
    first, again = (segmenter.segment(screen.image, SegmentRequest()) for _ in range(2))
    assert len(screen.recognised) == 1
    np.testing.assert_array_equal(first.boxes_xyxy_px, again.boxes_xyxy_px)
    screen.button((40, 140, 160, 172), "Open file")
    assert segmenter.segment(screen.image, SegmentRequest()).texts == ("Save file", "Open file")


def test_a_dense_capture_is_known_by_its_letters_when_nobody_tells_the_ratio():
    screen = Screen(size=(1200, 800))
    for row in range(12):
        screen.text(40, 30 + 60 * row, "Plenty of small letters in many rows")
    large = np.repeat(np.repeat(screen.image, 2, axis=0), 2, axis=1)
    assert working_copy(screen.image, 1.0)[1] == 1.0
    assert working_copy(large, 1.0)[1] == pytest.approx(0.5, abs=0.17)
    assert working_copy(large, 2.0)[1] == 0.5
    assert working_copy(np.full((900, 7680, 3), 255, np.uint8), 1.0)[1] == 0.5
