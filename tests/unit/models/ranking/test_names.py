"""A name is a name, whatever words it holds and whatever the thing is called beside it."""

import pytest

from models.ranking import Candidate, is_clear, rank
from models.ranking.query import names_alone

SIZE = (700, 1000)


def mark(name, text, role, box):
    return Candidate(id=name, text=text, role=role, bbox_xyxy_px=box, size_hw=SIZE)


PAGE = (
    mark("1", "Align right", "button", (10, 10, 100, 30)),
    mark("2", "Align left", "button", (110, 10, 200, 30)),
    mark("3", "Align center", "button", (210, 10, 300, 30)),
    mark("4", "Reports", "treeitem", (10, 60, 100, 80)),
    mark("5", "Night mode", "checkbox", (10, 100, 24, 114)),
    mark("6", "Search", "textbox", (300, 60, 500, 90)),
    mark("7", "search (icon)", "button", (505, 60, 535, 90)),
    mark("8", "Enter your city...", "textbox", (600, 60, 800, 90)),
    mark("9", "Save", "link", (10, 200, 60, 220)),
    mark("10", "Saved items", "button", (80, 200, 180, 230)),
    mark("11", "Last", "link", (10, 300, 60, 320)),
    mark("12", "Delete", "button", (10, 340, 60, 370)),
    mark("13", "Insert", "menuitem", (10, 400, 60, 420)),
    mark("14", "link (icon)", "button", (80, 400, 100, 420)),
    mark("15", "File", "menuitem", (10, 440, 60, 460)),
    mark("16", "Open", "button", (80, 440, 140, 460)),
    mark("17", "Menu", "menuitem", (200, 440, 260, 460)),
    mark("18", "Add Skye Fleece to cart", "button", (10, 500, 200, 530)),
    mark("19", "Terms for business", "link", (10, 600, 150, 620)),
    mark("20", "Shopping", "link", (10, 640, 80, 660)),
    mark("21", "Shopping list", "link", (100, 640, 200, 660)),
)


@pytest.mark.parametrize(
    "say",
    [
        "Click {}",
        "Press the {} button",
        "Tap on {}",
        "Hit {}",
        "Select {}",
        "Choose {}",
        "Open {}",
        "Go to {}",
        "Go to the {} page",
        'Click on the "{}" link',
        "Please click {}",
        "Could you press '{}'?",
        "I need to click the button {}",
        "Click the item called {}",
        "Click where it says {}",
    ],
)
@pytest.mark.parametrize("wanted", ["2", "4", "5", "8", "9", "15", "18", "19", "21"])
def test_whatever_is_said_round_a_name(say, wanted):
    name = next(one.text for one in PAGE if one.id == wanted)
    ranked = rank(say.format(name), PAGE)
    assert ranked[0].id == wanted, [(one.id, one.score) for one in ranked[:3]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Click the bottom button", "18"),
        ("Press the last button", "18"),
        ("Press the Last button", "11"),
        ("Press the search button", "7"),
        ("Click the search box", "6"),
        ("Click Insert link", "14"),
        ("Open the File menu", "15"),
        ("Open Menu", "17"),
        ("Press the third button", "3"),
        ("Click the second link", "11"),
    ],
)
def test_what_is_no_name_stays_a_place_a_kind_or_another_name(query, expected):
    ranked = rank(query, PAGE)
    assert ranked[0].id == expected, [(one.id, one.score) for one in ranked[:3]]


def test_of_two_that_bear_a_name_the_kind_decides_and_else_none_is_clear():
    twice = (
        mark("1", "Align left", "link", (10, 10, 100, 30)),
        mark("2", "Align left", "button", (700, 10, 800, 30)),
    )
    assert rank("Press the Align left button", twice)[0].id == "2"
    alike = (*twice[:1], mark("2", "Align left", "link", (700, 10, 800, 30)))
    assert not is_clear(rank("Press the Align left button", alike))


def test_a_tick_box_whose_label_was_seen_as_a_button_is_meant_and_a_button_far_away_is_not_its_label():
    box = mark("1", "Night mode", "checkbox", (10, 10, 24, 24))
    label = mark("2", "Night mode", "button", (30, 8, 110, 26))
    wraps = mark("2", "Night mode", "button", (0, 0, 120, 34))
    for other in (label, wraps):
        assert rank("Press the Night mode button", (box, other))[0].id == "1"
    far = mark("2", "Night mode", "button", (600, 400, 690, 430))
    assert rank("Press the Night mode button", (box, far))[0].id == "2"


def test_the_same_signs_lead_the_same_words():
    page = (mark("1", "Search", "textbox", (10, 10, 200, 30)), mark("2", "Search:", "textbox", (10, 200, 200, 220)))
    for say in ("Press the {} button", "Click '{}'", "Click {}"):
        assert [rank(say.format(one.text), page)[0].id for one in page] == ["1", "2"], say


@pytest.mark.parametrize("trap", ["{} (recommended)", "Click {}", "{} now", "Really {}", "{}!!!", "Not {}"])
def test_a_button_that_holds_the_name_is_not_the_link_that_bears_it(trap):
    page = (
        mark("1", "Save copy", "link", (10, 10, 60, 30)),
        mark("2", trap.format("Save copy"), "button", (10, 60, 160, 90)),
    )
    assert rank("Press the Save copy button", page)[0].id == "1"


def test_a_kind_in_front_of_a_name_that_nothing_bears_whole_is_not_part_of_it():
    page = (
        mark("1", "14 Point", "button", (10, 10, 100, 30)),
        mark("2", "Sans-serif", "combobox", (110, 10, 200, 30)),
        mark("3", "down (icon)", "button", (210, 10, 230, 30)),
    )
    for say in ("Click {}", "Click the button {}", "Open {}", "Open the {} menu"):
        assert rank(say.format("Font size in points"), page)[0].id == "1", say


def test_what_belongs_to_a_thing_that_the_screen_does_not_show_is_no_reading():
    page = (
        mark("1", "Reports of the year", "link", (10, 10, 100, 30)),
        mark("2", "open (icon)", "button", (300, 10, 330, 30)),
    )
    assert rank("Open report for 2024", page)[0].id == "1"


def test_typing_wants_a_field_whoever_else_bears_the_name():
    page = (mark("1", "Subject", "button", (10, 10, 100, 30)), mark("2", "Subject line", "textbox", (10, 50, 300, 80)))
    assert rank('Type "hello" into the Subject box', page)[0].id == "2"


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("the Align left button", [("Align left", True)]),
        ('the "Save as" link', [("Save as", True)]),
        ("the button that says Go!", [("Go!", True)]),
        ("the Yes radio button", [("Yes", False)]),
        ("the Reports page", [("Reports", True)]),
        ("First Name", []),
        ("the button", []),
    ],
)
def test_a_name_is_what_is_left_without_the_word_for_a_kind(phrase, names):
    assert [(one.name, one.anything) for one in names_alone(phrase)] == names
