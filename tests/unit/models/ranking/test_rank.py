"""The ranker's documented rules, one by one."""

import pytest

from models.ranking import Candidate, rank

SIZE = (400, 600)


def mark(name, text, role, box):
    return Candidate(id=name, text=text, role=role, bbox_xyxy_px=box, size_hw=SIZE)


PAGE = (
    mark("1", "Home", "link", (10, 10, 60, 26)),
    mark("2", "Settings", "link", (80, 10, 150, 26)),
    mark("3", "Settings", "heading", (10, 50, 160, 80)),
    mark("4", "Email", "text", (10, 104, 60, 120)),
    mark("5", None, "textbox", (80, 100, 300, 124)),
    mark("6", "Phone", "text", (10, 144, 60, 160)),
    mark("7", None, "textbox", (80, 140, 300, 164)),
    mark("8", None, "checkbox", (10, 182, 24, 196)),
    mark("9", "Send me news", "text", (30, 180, 140, 198)),
    mark("10", "Save", "button", (10, 220, 80, 250)),
    mark("11", "Save as draft", "button", (90, 220, 220, 250)),
    mark("12", "Delete", "button", (10, 360, 80, 390)),
    mark("13", "Delete", "button", (520, 360, 590, 390)),
    mark("14", None, "icon", (570, 10, 590, 30)),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Click Save", "10"),
        ('Click "Save as draft"', "11"),
        ("click on the save as draft button", "11"),
        ("Click Settings", "2"),
        ("Click the Settings heading", "3"),
        ("Which mark is the settings link?", "2"),
        ('Type "a@b.c" into the Email field', "5"),
        ("Click Email", "5"),
        ("Click Phone", "7"),
        ("Check Send me news", "8"),
        ("Click the Delete button in the bottom right corner", "13"),
        ("Click the first Delete", "12"),
        ("Click the last Delete button", "13"),
        ("Click the button to the right of Save", "11"),
        ("Click the field below Email", "7"),
        ("Click the checkbox", "8"),
        ("Click the icon in the top right", "14"),
        ("Click Savve", "10"),
        ("Click Sendme news", "8"),
    ],
)
def test_the_right_mark_leads(query, expected):
    ranked = rank(query, PAGE)
    assert ranked[0].id == expected, [(one.id, one.score) for one in ranked[:3]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("what is left of 11?", "10"),
        ("what is to the right of mark 1?", "2"),
        ("which mark is below [10]?", "12"),
        ("the field next to #6", "7"),
        ("the button right of 10", "11"),
    ],
)
def test_a_place_may_be_told_by_a_marks_id(query, expected):
    assert rank(query, PAGE)[0].id == expected
    assert rank(query, PAGE)[0].reason == "position"


def test_every_mark_gets_a_score_in_order():
    ranked = rank("Click Save", PAGE)
    assert sorted(one.id for one in ranked) == sorted(one.id for one in PAGE)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert all(0 <= one.score <= 1 for one in ranked)
    assert rank("Click Save", ()) == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [("Click Save", "text"), ("Click the first Delete", "position"), ("Click the checkbox", "role")],
)
def test_the_reason_says_what_decided(query, reason):
    assert rank(query, PAGE)[0].reason == reason


def test_a_name_made_of_place_and_count_words_is_a_name():
    page = (
        mark("1", "First Name", "textbox", (10, 10, 100, 30)),
        mark("2", "Last Name", "textbox", (10, 50, 100, 70)),
        mark("3", "Name", "textbox", (10, 90, 100, 110)),
    )
    assert rank("Click Last Name", page)[0].id == "2"
    assert rank("Click Last Name", page)[0].reason == "text"


def test_a_menu_beside_a_filled_search_box_is_not_its_label():
    page = (
        mark("1", "Blog", "text", (200, 10, 240, 26)),
        mark("2", "Search articles", "textbox", (300, 6, 500, 30)),
    )
    assert rank("Click Blog", page)[0].id == "1"


def test_what_is_not_there_scores_low():
    assert rank("Click Export to PDF", PAGE)[0].score < 0.5


@pytest.mark.parametrize(
    "query", ["", " ", '"', "Click", 'Type "x" into', "the", "Click the", "((((", "\\", "¿?", "🙂" * 50]
)
def test_odd_queries_do_no_harm(query):
    assert len(rank(query, PAGE)) == len(PAGE)


ICONS = (
    mark("1", "search (icon)", "button", (10, 10, 30, 30)),
    mark("2", "Search stations", "textbox", (40, 10, 300, 30)),
    mark("3", "link (icon)", "button", (310, 10, 330, 30)),
    mark("4", "Insert", "menuitem", (340, 10, 400, 30)),
    mark("5", "close (icon)", "button", (570, 10, 590, 30)),
    mark("6", "Arran Parka", "link", (10, 200, 110, 220)),
    mark("7", "heart (icon)", "button", (80, 120, 104, 144)),
    mark("8", "Skye Fleece", "link", (300, 200, 410, 220)),
    mark("9", "heart (icon)", "button", (370, 120, 394, 144)),
    mark("10", "plus (icon)", "button", (500, 300, 520, 320)),
    mark("11", "Sort by: Popularity", "combobox", (10, 340, 180, 364)),
    mark("12", "Popularity", "link", (10, 370, 90, 390)),
    mark("13", "Our letter: Email address", "textbox", (300, 340, 500, 364)),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Click the magnifying glass", "1"),
        ("Click Search", "2"),
        ("Click Insert link", "3"),
        ("Click Insert", "4"),
        ("Close the dialog", "5"),
        ("Click Dismiss", "5"),
        ("Click Save Skye Fleece", "9"),
        ("Click the heart of Arran Parka", "7"),
        ("Click +", "10"),
        ("Click Zoom in", "10"),
        ("Click Sort by", "11"),
        ("Click Popularity", "12"),
        ("Click Email address", "13"),
    ],
)
def test_icons_and_fields_that_tell_two_things(query, expected):
    ranked = rank(query, ICONS)
    assert ranked[0].id == expected, [(one.id, one.score) for one in ranked[:3]]


CART = [
    mark("1", "Teapot", "text", (20, 100, 80, 120)),
    mark("2", "minus (icon)", "button", (300, 95, 330, 125)),
    mark("3", "1", "text", (335, 100, 350, 120)),
    mark("4", "plus (icon)", "button", (360, 95, 390, 125)),
    mark("5", "Remove", "link", (520, 100, 580, 120)),
    mark("6", "Egg cup", "text", (20, 160, 90, 180)),
    mark("7", "minus (icon)", "button", (300, 155, 330, 185)),
    mark("8", "1", "text", (335, 160, 350, 180)),
    mark("9", "plus (icon)", "button", (360, 155, 390, 185)),
    mark("10", "Remove", "link", (520, 160, 580, 180)),
]


# The sign that may mean "remove" stands beside the name, the word far from it.
BESIDE = [
    mark("1", "Teapot", "text", (20, 100, 80, 120)),
    mark("2", "minus (icon)", "button", (90, 95, 120, 125)),
    mark("3", "Remove", "link", (520, 100, 580, 120)),
    mark("4", "Egg cup", "text", (20, 160, 90, 180)),
    mark("5", "minus (icon)", "button", (100, 155, 130, 185)),
    mark("6", "Remove", "link", (520, 160, 580, 180)),
]


@pytest.mark.parametrize(
    ("query", "expected"), [("Remove the Teapot", "3"), ("Remove the egg cup", "6"), ("Decrease the Teapot", "2")]
)
def test_what_is_written_far_away_comes_before_what_an_icon_beside_may_mean(query, expected):
    assert rank(query, BESIDE)[0].id == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Remove the Teapot", "5"),
        ("Remove the egg cup", "10"),
        ("Click + in the row of Egg cup", "9"),
        ("Click - in the row of Teapot", "2"),
        ("Click Remove in the row of Egg cup", "10"),
        ("Decrease the Teapot", "2"),
    ],
)
def test_signs_and_words_of_a_row(query, expected):
    assert rank(query, CART)[0].id == expected
