"""Instructions are taken apart as people mean them."""

import pytest

from models.ranking import parse_action
from models.ranking.query import parse_target


@pytest.mark.parametrize(
    ("query", "intent"),
    [
        ("Click Save", ("click", "Save", None)),
        ("Please click on the Save button.", ("click", "Save button", None)),
        ("Click Forgot Password?", ("click", "Forgot Password", None)),
        ('Type "hello world" into the search field', ("type", "search field", "hello world")),
        ("Enter 42 in Age", ("type", "Age", "42")),
        ('Fill in the email field with "a@b.c"', ("type", "email field", "a@b.c")),
        ('Select "Blue" in Colour', ("select", "Colour", "Blue")),
        ("Choose Blue from the Colour dropdown", ("select", "Colour dropdown", "Blue")),
        ("Set Country to Norway", ("select", "Country", "Norway")),
        ("Select the link in the footer", ("click", "link in the footer", None)),
        ("Select the Settings tab", ("click", "Settings tab", None)),
        ("Which mark is the search box?", ("click", "search box", None)),
        ("Where is the logout link?", ("click", "logout link", None)),
        ("Sign in", ("click", "Sign in", None)),
    ],
)
def test_an_instruction_says_what_to_do_to_what(query, intent):
    found = parse_action(query)
    assert (found.type, found.target, found.text) == intent


@pytest.mark.parametrize(
    ("phrase", "name", "role", "place", "ordinal", "anchor"),
    [
        ("Save button", "Save", "button", None, None, None),
        ('button labeled "Sign in"', "Sign in", "button", None, None, None),
        ("search box", "search", "textbox", None, None, None),
        ("menu in the top left corner", "", "menu", (0.0, 0.0), None, None),
        ("second link", "", "link", None, 1, None),
        ("last Delete button", "Delete", "button", None, -1, None),
        ('checkbox next to "Remember me"', "", "checkbox", None, None, "Remember me"),
        ("field below Email", "", "textbox", None, None, "Email"),
        ("icon at the bottom", "", "icon", (None, 1.0), None, None),
        ("Terms of use", "Terms of use", None, None, None, None),
    ],
)
def test_a_target_falls_into_name_role_and_place(phrase, name, role, place, ordinal, anchor):
    target = parse_target(phrase)
    assert (target.name, target.place_xy, target.ordinal, target.anchor) == (name, place, ordinal, anchor)
    assert role in target.roles if role else not target.roles
