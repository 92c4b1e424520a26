"""Of several readings the one counts that the screen bears out."""

import pytest

from models.ranking import Candidate, is_clear, rank, understand

SIZE = (600, 900)


def mark(name, text, role, box, **more):
    return Candidate(id=name, text=text, role=role, bbox_xyxy_px=box, size_hw=SIZE, **more)


FORM = (
    mark("1", "Country", "text", (10, 10, 80, 26)),
    mark("2", "Please choose", "combobox", (100, 8, 300, 30)),
    mark("3", "Delivery", "text", (10, 50, 80, 66)),
    mark("4", "Standard", "radio", (100, 50, 114, 64)),
    mark("5", "Express", "radio", (200, 50, 214, 64)),
    mark("6", "Filters", "heading", (500, 10, 600, 34)),
    mark("7", "Clear filters", "link", (500, 40, 600, 56)),
    mark("8", "Search titles and authors", "textbox", (10, 100, 300, 124)),
    mark("9", "Go", "button", (310, 100, 350, 124)),
    mark("10", "Write your message", "text", (10, 150, 160, 166)),
    mark("11", "Messages", "heading", (10, 200, 160, 230)),
    mark("12", "Dark mode", "text", (10, 300, 90, 316)),
    mark("13", "Use light text on a dark ground.", "text", (10, 320, 220, 336)),
    mark("14", None, "switch", (700, 306, 740, 330)),
    mark("15", "Log in", "button", (800, 10, 880, 40)),
)
SHOP = (
    mark("1", "Teapot", "heading", (600, 200, 660, 220)),
    mark("2", "Add to cart", "button", (600, 240, 700, 270), colors={"green": 0.8}),
    mark("3", "Egg cup", "heading", (100, 200, 160, 220)),
    mark("4", "Add to cart", "button", (100, 240, 200, 270), colors={"green": 0.8}),
    mark("5", "Cart", "link", (800, 10, 860, 30), colors={"green": 0.1}),
    mark("6", "Blue mug", "text", (10, 400, 90, 420)),
    mark("7", "Remove", "link", (500, 400, 560, 420), colors={"red": 0.1}),
    mark("8", "Green bowl", "text", (10, 440, 90, 460)),
    mark("9", "Remove", "link", (500, 440, 560, 460), colors={"red": 0.1}),
    mark("10", "Place order", "button", (100, 500, 220, 530), colors={"red": 0.7}),
)


@pytest.mark.parametrize(
    ("query", "expected", "kind"),
    [
        ("Choose Norway in Country", "2", "select"),
        ("Set Country to Norway", "2", "select"),
        ("Choose Express in Delivery", "5", "click"),
        ("Clear filters", "7", "click"),
        ("Search for whales", "8", "type"),
        ("Type hello into the message", "10", "type"),
        ("Turn on Dark mode", "14", "click"),
        ("Sign in", "15", "click"),
    ],
)
def test_the_screen_decides_what_is_meant(query, expected, kind):
    found = understand(query, FORM)
    assert (found.ranked[0].id, found.intent.type) == (expected, kind), found.ranked[:3]
    assert is_clear(found.ranked)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Add the teapot to the cart", "2"),
        ("Add the egg cup to the cart", "4"),
        ("Click Add to cart below Egg cup", "4"),
        ("Remove the Green bowl", "9"),
        ("Click Remove in the row of Blue mug", "7"),
        ("Remove in the Green bowl's row", "9"),
        ("Click Remove for Blue mug", "7"),
        ("Open the cart", "5"),
        ("Click Blue mug", "6"),
        ("Click the red button", "10"),
        ("Click the red button in the dialog", "10"),
        ("Click the first green button", "4"),
        ("Check out", "10"),
    ],
)
def test_things_that_look_alike_are_told_apart(query, expected):
    ranked = rank(query, SHOP)
    assert ranked[0].id == expected, ranked[:3]


@pytest.mark.parametrize("query", ["Click Remove in the row of Tall vase", "Click the button below Tall vase"])
def test_a_thing_that_is_not_there_leaves_it_open(query):
    assert not is_clear(rank(query, SHOP))


def test_nothing_is_understood_of_an_empty_screen():
    assert understand("Click Save", ()).ranked == []


def test_a_text_without_a_mark_tells_which_one_is_meant_and_is_never_chosen():
    marks = [one for one in SHOP if one.role in {"button", "link"}]
    texts = [one for one in SHOP if one.role not in {"button", "link"}]
    assert not is_clear(rank("Remove the Green bowl", marks))
    found = understand("Remove the Green bowl", marks, texts)
    assert found.ranked[0].id == "9"
    assert is_clear(found.ranked)
    assert {one.id for one in understand("Click Blue mug", marks, texts).ranked} == {one.id for one in marks}
