"""Role words choose between marks that bear the same name."""

import pytest

from models.ranking import Candidate, rank

PAGE = [
    Candidate(id="1", text="Search stations", role="textbox", bbox_xyxy_px=(800, 10, 1050, 50), size_hw=(600, 1200)),
    Candidate(id="2", text="Search", role="button", bbox_xyxy_px=(1050, 10, 1150, 50), size_hw=(600, 1200)),
    Candidate(id="3", text="Sign in", role="button", bbox_xyxy_px=(700, 360, 790, 400), size_hw=(600, 1200)),
    Candidate(id="4", text="Search box help", role="link", bbox_xyxy_px=(10, 500, 200, 520), size_hw=(600, 1200)),
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("Which mark is the search box?", "1"),
        ("the search field", "1"),
        ("Click the search button", "2"),
        ("Click Search", "2"),
        ("Click Search box help", "4"),
        ("the sign in link", "3"),
    ],
)
def test_the_role_decides_among_bearers_of_a_name(query: str, wanted: str) -> None:
    assert rank(query, PAGE)[0].id == wanted


def mark(name, text, role, box):
    return Candidate(id=name, text=text, role=role, bbox_xyxy_px=box, size_hw=(400, 400))


FORM = (
    mark("1", "Email", "textbox", (100, 100, 300, 130)),
    mark("2", "Password", "textbox", (100, 150, 300, 180)),
    mark("3", "Remember me", "checkbox", (100, 200, 114, 214)),
    mark("4", "Sign in", "button", (100, 240, 300, 270)),
    mark("5", "All accounts", "link", (100, 300, 200, 320)),
    mark("6", "Forgot password?", "link", (100, 340, 220, 360)),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("all text fields", {"1", "2"}),
        ("both text fields", {"1", "2"}),
        ("every link", {"5", "6"}),
        ("all the links", {"5", "6"}),
        ("the two text fields", {"1", "2"}),
        ("All accounts", {"5"}),
    ],
)
def test_how_many_there_are_is_no_part_of_a_name(query, expected):
    ranked = rank(query, FORM)
    assert {one.id for one in ranked if ranked[0].score - one.score < 0.01} == expected
    assert ranked[0].score >= 0.7


@pytest.mark.parametrize(
    ("query", "expected"),
    [("the topmost text field", "1"), ("the lowest link", "6"), ("the bottommost text field", "2")],
)
def test_the_outermost_of_a_kind(query, expected):
    assert rank(query, FORM)[0].id == expected


def test_the_second_of_one_is_none_of_them():
    assert rank("Click the second checkbox", FORM)[0].score < 0.3
    assert rank("Click the second link", FORM)[0].id == "6"


PAGE_WITH_BARS = (
    mark("1", "Home", "link", (10, 10, 60, 30)),
    mark("2", "Help", "link", (330, 10, 390, 30)),
    mark("3", "Inbox", "link", (10, 100, 80, 120)),
    mark("4", "Weekly report", "link", (160, 102, 300, 122)),
    mark("5", "Sent", "link", (10, 140, 80, 160)),
    mark("6", "Settings", "link", (10, 180, 80, 200)),
    mark("7", "Settings", "button", (300, 180, 390, 200)),
    mark("8", "Help", "link", (10, 370, 60, 390)),
    mark("9", "Imprint", "link", (100, 370, 160, 390)),
)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("Click the fourth link in the sidebar", "6"),
        ("the second link in the left sidebar", "3"),
        ("Help in the footer", "8"),
        ("the Help link in the header", "2"),
        ("the second link in the footer", "9"),
        ("the last link in the header", "2"),
        ("Weekly report in the sidebar", "4"),  # there is but one: wherever it is
        ("Inbox in the navigation", "3"),
    ],
)
def test_headers_footers_and_sidebars_are_where_pages_have_them(query: str, wanted: str) -> None:
    ranked = rank(query, PAGE_WITH_BARS)
    assert ranked[0].id == wanted
    assert ranked[0].score > ranked[1].score


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("Submit the form", "4"),
        ("Send the login form", "4"),
        ("Reset my password", "6"),
        ("Recover your password", "6"),
        ("Enter the password", "2"),
    ],
)
def test_goals_are_reached_by_what_a_form_has_for_them(query: str, wanted: str) -> None:
    assert rank(query, FORM)[0].id == wanted
