"""The screenshot segmenter on drawn pages: what becomes a mark, with which role and text."""

import numpy as np
import pytest

from models.protocols import SegmentRequest
from models.segmenters.gui import GuiSegmenter
from models.segmenters.widgets.page import working_copy
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


def test_the_inside_of_a_letter_is_no_tick_box():
    screen = Screen()
    screen.text(40, 40, "DOOR 00 QUO")
    assert [role for role, _, _ in found(screen)] == ["text"]


def test_coloured_words_in_a_sentence_are_a_link_of_their_own():
    screen = Screen()
    end = screen.text(40, 40, "Please read the ")
    link_end = screen.text(end, 40, "terms of use", (0, 0, 238))
    screen.text(link_end, 40, " before you go on")
    whole = "Please read the terms of use before you go on"
    chars = tuple(x for line in screen.lines for x in line.char_x_px)
    left, right = screen.lines[0].bbox_xyxy_px, screen.lines[-1].bbox_xyxy_px
    screen.lines = [
        type(screen.lines[0])(
            text=whole, bbox_xyxy_px=(left[0], left[1], right[2], right[3]), score=0.9, char_x_px=chars
        )
    ]
    marks = found(screen)
    assert named(marks, "link") == ["terms of use"]
    (box,) = (box for role, _, box in marks if role == "link")
    assert near(box, (end, 42, link_end, 58), slack=6)


def test_underlined_links_side_by_side_are_two():
    screen = Screen()
    end = screen.text(40, 40, "Next", underline=True)
    screen.text(end + 7, 40, "Last", underline=True)
    first, second = screen.lines
    screen.lines = [
        type(first)(
            text="Next Last",
            bbox_xyxy_px=(*first.bbox_xyxy_px[:2], *second.bbox_xyxy_px[2:]),
            score=0.9,
            char_x_px=first.char_x_px + second.char_x_px,
        )
    ]
    assert named(found(screen), "link") == ["Next", "Last"]


def test_a_paragraph_is_one_mark_and_a_list_of_short_items_is_not():
    screen = Screen()
    for row in range(3):
        screen.text(40, 40 + 22 * row, "A long line of running prose goes here")
    for row in range(3):
        screen.text(40, 200 + 30 * row, f"Item {row}")
    assert [text[:6] for text in named(found(screen), "text")] == ["A long", "Item 0", "Item 1", "Item 2"]


def test_a_panel_round_controls_gets_no_mark():
    screen = Screen()
    screen.pen.rectangle((20, 20, 620, 80), fill=(230, 230, 230))
    screen.button((40, 34, 140, 66), "Copy")
    screen.button((160, 34, 260, 66), "Paste")
    assert named(found(screen), "button") == ["Copy", "Paste"]
    assert len(found(screen)) == 2


def test_an_icon_joins_the_caption_beside_it():
    screen = Screen()
    screen.pen.polygon([(40, 56), (48, 40), (56, 56)], fill=(200, 40, 40))
    screen.text(64, 40, "Alerts")
    ((role, text, box),) = found(screen)
    assert text == "Alerts"
    assert role == "button"
    assert box[0] <= 42


def test_a_lone_icon_is_a_mark():
    screen = Screen()
    screen.text(40, 40, "Title of the page")
    screen.pen.polygon([(400, 60), (410, 40), (420, 60)], fill=(200, 40, 40))
    marks = found(screen)
    assert [near(box, (400, 40, 421, 61)) for role, _, box in marks if role == "icon"] == [True]


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
        assert near(two, [2 * value for value in one], slack=8)


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
