"""What every element finder promises, and what the detector's adds: text by place, labels, exact edges, few readings."""

import numpy as np
import pytest

from models.errors import WeightsMissing
from models.protocols import SegmentRequest
from models.segmenters.detected.choice import distinct, has_content, snapped
from models.segmenters.detected.finder import DetectorFinder
from models.segmenters.detected.signs import edge_mask
from models.segmenters.detected.telling import telling_lines
from models.segmenters.detector import Detections, ElementDetector
from models.segmenters.gui import GuiSegmenter
from models.segmenters.ocr import PageText, TextLine
from tests.unit.models.segmenters.screenshot import Screen


class Told:
    """A detector that is told what it sees: (box, role), best first."""

    threshold = 0.4

    def __init__(self, *seen):
        self.seen = seen

    def detect(self, image, device_pixel_ratio=1.0, *, threshold=None):
        factor = image.shape[1] / 640
        boxes = np.array([box for box, _ in self.seen], np.float32).reshape(-1, 4) * factor
        scores = np.linspace(0.9, 0.5, len(self.seen)).astype(np.float32)
        return Detections(boxes_xyxy_px=boxes, scores=scores, roles=tuple(role for _, role in self.seen))


def form():
    screen = Screen()
    screen.button((40, 40, 160, 72), "Save file")
    screen.text(20, 142, "Phone")
    screen.field((160, 136, 400, 166))
    screen.pen.rectangle((40, 204, 52, 216), outline=(110, 110, 110))
    screen.text(60, 200, "Remember me")
    screen.text(300, 300, "Nothing but a remark")
    told = Told(((41, 39, 159, 74), "button"), ((160, 136, 401, 167), "textbox"), ((40, 204, 53, 217), "checkbox"))
    return screen, told


@pytest.mark.parametrize("finder", [DetectorFinder(form()[1])], ids=["detector"])
class TestEveryFinder:
    def test_finds_a_form_with_texts_roles_and_boxes_in_reading_order(self, finder):
        screen = form()[0]
        found = finder.find(screen.image, PageText(screen, screen.image))
        named = [(one.role, one.text) for one in found]
        for wanted in (("button", "Save file"), ("textbox", "Phone"), ("checkbox", "Remember me")):
            assert wanted in named
        boxes = {one.role: one.bbox_xyxy_px for one in found}
        np.testing.assert_allclose(boxes["button"], (40, 40, 161, 73), atol=2)
        np.testing.assert_allclose(boxes["textbox"], (160, 136, 401, 167), atol=2)
        rows = [one.bbox_xyxy_px[1] for one in found if one.role != "text"]
        assert rows == sorted(rows)

    def test_is_deterministic_and_names_its_version(self, finder):
        screen = form()[0]
        one, two = (finder.find(screen.image, PageText(screen, screen.image)) for _ in range(2))
        assert one == two
        assert finder.version

    def test_serves_the_segmenter_at_any_density(self, finder):
        screen = form()[0]
        single = GuiSegmenter(screen, finder).segment(screen.image, SegmentRequest())
        doubled = np.repeat(np.repeat(screen.image, 2, axis=0), 2, axis=1)
        double = GuiSegmenter(screen, finder).segment(doubled, SegmentRequest(device_pixel_ratio=2.0))
        assert double.texts == single.texts
        np.testing.assert_allclose(double.boxes_xyxy_px, 2 * single.boxes_xyxy_px, atol=4)

    def test_finds_nothing_on_a_blank_page(self, finder):
        blank = Screen()
        found = finder.find(blank.image, PageText(blank, blank.image))
        assert found == []


def named(screen, *seen):
    finder = DetectorFinder(Told(*seen))
    return [(one.role, one.text) for one in finder.find(screen.image, PageText(screen, screen.image))]


def test_only_text_of_elements_is_recognised():
    screen, told = form()
    DetectorFinder(told).find(screen.image, PageText(screen, screen.image))
    assert len(screen.recognised) == 3, "the remark belongs to no element"


def test_of_a_text_area_only_the_first_lines_are_read():
    screen = Screen()
    screen.field((20, 20, 400, 260))
    for row in range(8):
        screen.text(30, 30 + 26 * row, f"Line {row}")
    assert named(screen, ((20, 20, 401, 261), "textbox")) == [("textbox", "Line 0 Line 1 Line 2 Line 3")]
    assert len(screen.recognised) == 4


def test_a_line_through_several_elements_is_cut_to_each():
    screen = Screen()
    for x, words in ((40, "Home"), (110, "News"), (180, "Help")):
        screen.text(x, 40, words)
    parts = screen.lines
    screen.lines = [
        TextLine(
            text=" ".join(part.text for part in parts),
            bbox_xyxy_px=(*parts[0].bbox_xyxy_px[:2], *parts[-1].bbox_xyxy_px[2:]),
            score=0.9,
            char_x_px=tuple(x for part in parts for x in part.char_x_px),
        )
    ]
    seen = [((x, 36, x + 60, 66), "link") for x in (30, 100, 170)]
    assert named(screen, *seen) == [("link", "Home"), ("link", "News"), ("link", "Help")]


def test_an_icon_has_no_text_even_if_the_reader_takes_it_for_a_letter():
    screen = Screen()
    screen.text(43, 40, "Q")
    screen.lines[0] = TextLine(text="白", bbox_xyxy_px=screen.lines[0].bbox_xyxy_px, score=0.6, char_x_px=(49.0,))
    assert named(screen, ((36, 36, 64, 66), "icon-button")) == [("button", "")]


def test_a_letter_at_the_edge_of_a_tight_box_is_kept():
    screen = Screen()
    first = screen.text(40, 40, "Please read")
    screen.text(first + 5, 40, "our terms")
    whole = "Please read our terms"
    one, two = screen.lines
    screen.lines = [
        TextLine(
            text=whole,
            bbox_xyxy_px=(*one.bbox_xyxy_px[:2], *two.bbox_xyxy_px[2:]),
            score=0.9,
            char_x_px=one.char_x_px + two.char_x_px,
        )
    ]
    box = (first + 8, 38, two.bbox_xyxy_px[2] - 8, 62)
    assert named(screen, (box, "link")) == [("link", "our terms")]


@pytest.mark.parametrize(("gap", "name"), [(26, "Home"), (14, "Q Home")])
def test_an_icon_read_as_a_round_letter_is_cut_off_where_it_stands_apart(gap, name):
    screen = Screen()
    screen.text(80, 40, "Home")
    (line,) = screen.lines
    left = line.char_x_px[0] - gap
    screen.lines[0] = TextLine(
        text="Q Home",
        bbox_xyxy_px=(left - 8, *line.bbox_xyxy_px[1:]),
        score=0.9,
        char_x_px=(left, *line.char_x_px),
    )
    assert named(screen, ((left - 12, 36, 140, 66), "menuitem")) == [("menuitem", name)]


def test_a_card_is_named_by_what_is_not_in_its_buttons():
    screen = Screen()
    screen.text(40, 40, "Quarterly report")
    screen.button((40, 80, 160, 112), "Share")
    seen = [((20, 20, 400, 140), "link"), ((40, 80, 161, 113), "button")]
    assert named(screen, *seen) == [("link", "Quarterly report"), ("button", "Share")]


def test_a_label_read_together_with_its_tick_box_is_cut_off_it():
    screen = Screen()
    screen.pen.rectangle((40, 44, 52, 56), outline=(110, 110, 110))
    screen.text(60, 40, "Remember me")
    line = screen.lines[0]
    screen.lines[0] = TextLine(
        text="口 " + line.text,
        bbox_xyxy_px=(38.0, *line.bbox_xyxy_px[1:]),
        score=0.9,
        char_x_px=(46.0, *line.char_x_px),
    )
    assert named(screen, ((40, 44, 53, 57), "checkbox")) == [("checkbox", "Remember me")]


def test_a_button_beside_a_field_is_not_its_label():
    screen = Screen()
    screen.button((40, 36, 150, 66), "Search")
    screen.field((160, 36, 400, 66))
    assert named(screen, ((40, 36, 151, 67), "button"), ((160, 36, 401, 67), "textbox")) == [
        ("button", "Search"),
        ("textbox", ""),
    ]


def test_a_tick_box_taken_for_another_is_put_right_by_its_shape():
    screen = Screen()
    screen.pen.ellipse((40, 44, 54, 58), outline=(110, 110, 110))
    screen.text(62, 42, "One way")
    assert named(screen, ((40, 44, 55, 59), "checkbox")) == [("radio", "One way")]


def test_an_empty_area_is_no_control():
    screen = Screen()
    screen.text(40, 40, "Home")
    assert named(screen, ((36, 36, 90, 64), "link"), ((300, 200, 380, 240), "button")) == [("link", "Home")]


def test_sides_move_to_the_edge_beside_them_and_stay_where_there_is_none():
    screen = Screen()
    screen.pen.rectangle((100, 100, 299, 139), fill=(255, 255, 255), outline=(90, 90, 90))
    edges = edge_mask(screen.image)
    assert snapped(edges, (103, 98, 298, 141)) == (100, 100, 300, 140)
    assert snapped(edges, (20, 20, 60, 40)) == (20, 20, 60, 40)
    assert has_content(edges, (95, 95, 120, 120))
    assert not has_content(edges, (300, 300, 340, 340))


def test_of_one_thing_seen_twice_the_better_stays_and_a_small_part_is_its_own():
    boxes = np.array([[0, 0, 100, 40], [4, 2, 98, 38], [80, 10, 96, 30], [200, 0, 300, 40]], np.float32)
    assert distinct(boxes, np.array([0.6, 0.9, 0.5, 0.7], np.float32)) == [1, 3, 2]


def test_without_weights_the_detector_finder_says_so(tmp_path):
    screen = form()[0]
    finder = DetectorFinder(ElementDetector(tmp_path / "absent.onnx"))
    with pytest.raises(WeightsMissing):
        finder.find(screen.image, PageText(screen, screen.image))


def labelled(screen, *seen):
    return dict(named(screen, *seen))


def test_a_frame_round_fields_neither_counts_nor_keeps_their_labels():
    screen = Screen()
    screen.field((20, 20, 400, 120))
    screen.text(60, 50, "Yes")
    screen.text(160, 50, "No")
    ticks = [((x, 54, x + 13, 67), "radio") for x in (40, 140)]
    for box, _ in ticks:
        screen.pen.ellipse(box, outline=(110, 110, 110))
    found = named(screen, *ticks, ((20, 20, 401, 121), "textbox"))
    assert [text for _, text in found] == ["Yes", "No"]


def test_what_stands_on_an_empty_field_is_its_label_even_if_taken_for_a_link():
    screen = Screen()
    screen.text(20, 40, "Your age")
    screen.field((20, 68, 300, 92))
    assert labelled(screen, ((18, 40, 110, 64), "link"), ((20, 68, 301, 93), "textbox"))["textbox"] == "Your age"


def test_a_field_that_shows_a_value_takes_a_far_label_only_from_a_column_of_labels():
    screen = Screen()
    screen.text(20, 42, "Port")
    screen.field((160, 36, 300, 66))
    screen.text(170, 42, "8080")
    value = ((160, 36, 301, 67), "textbox")
    assert named(screen, value) == [("textbox", "8080")]
    screen.text(20, 102, "Host")
    screen.field((160, 96, 300, 126))
    assert named(screen, value, ((160, 96, 301, 127), "textbox")) == [("textbox", "Port: 8080"), ("textbox", "Host")]


def test_a_letter_left_of_a_box_that_is_a_little_narrow_is_no_label():
    screen = Screen()
    screen.field((30, 36, 300, 66))
    screen.text(40, 42, "Search the shop")
    assert named(screen, ((52, 36, 301, 67), "textbox")) == [("textbox", "Search the shop")]


def test_texts_that_tell_buttons_of_one_name_apart_get_marks_and_other_prose_none():
    screen = Screen()
    screen.text(20, 300, "Nothing but a remark")
    seen = []
    for row, name in enumerate(("Ada Lovelace", "Alan Turing")):
        screen.text(20, 42 + 60 * row, name)
        screen.button((400, 36 + 60 * row, 520, 66 + 60 * row), "Remove")
        seen.append(((400, 36 + 60 * row, 521, 67 + 60 * row), "button"))
    texts = sorted(named(screen, *seen))
    assert texts == [("button", "Remove")] * 2 + [("text", "Ada Lovelace"), ("text", "Alan Turing")]
    assert named(screen, seen[0]) == [("button", "Remove")]


def test_on_cards_the_texts_above_tell_buttons_apart():
    cards = [((x, 200, x + 80, 230), "Buy") for x in (20, 220)]
    lines = [(20, 20, 600, 40), (20, 120, 90, 140), (20, 150, 60, 170), (220, 120, 300, 140), (220, 150, 260, 170)]
    assert telling_lines(cards, lines, [0, 1, 2, 3, 4], 20.0) == [1, 2, 3, 4]
    assert telling_lines(cards[:1], lines, [0, 1, 2], 20.0) == []
