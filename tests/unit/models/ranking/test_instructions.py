"""Every way to say what is to be done."""

import pytest

from models.ranking import parse_action, readings


@pytest.mark.parametrize(
    ("query", "kind", "target", "text"),
    [
        ('Type "a in b" into Notes', "type", "Notes", "a in b"),
        ("Write it's fine in the message box", "type", "message box", "it's fine"),
        ("Fill in Name with Ada", "type", "Name", "Ada"),
        ("Please enter 42 as Age", "type", "Age", "42"),
        ("Search for night trains", "type", "search box", "night trains"),
        ("Clear the search field", "type", "search field", ""),
        ("Delete the text in Notes", "type", "Notes", ""),
        ("Change Language to Dansk", "select", "Language", "Dansk"),
        ('Pick "Blue" as Colour', "select", "Colour", "Blue"),
        ("Open the File menu", "click", "File menu", None),
        ("Uncheck Send me news", "click", "Send me news", None),
        ("Turn off the sounds", "click", "sounds", None),
        ("Turn Dark mode on", "click", "Dark mode", None),
        ("Send it", "click", "Send", None),
    ],
)
def test_what_is_to_be_done(query, kind, target, text):
    found = parse_action(query)
    assert (found.type, found.target, found.text) == (kind, target, text)


@pytest.mark.parametrize(
    ("query", "gesture"),
    [
        ("Double-click the file", "double"),
        ("right click on Photos", "right"),
        ("Click Photos", "left"),
        ("Photos", "left"),
    ],
)
def test_how_it_is_to_be_clicked(query, gesture):
    assert parse_action(query).gesture == gesture


@pytest.mark.parametrize(
    ("query", "submit", "append", "text"),
    [
        ("Type Oslo into From and press Enter", True, False, "Oslo"),
        ("Type Oslo into From, then hit return.", True, False, "Oslo"),
        ("Type Oslo into From", False, False, "Oslo"),
        ("Press Enter in From", True, True, ""),
        ('Append "and back" to From', False, True, "and back"),
        ('Add "milk" to Notes', False, True, "milk"),
    ],
)
def test_enter_and_adding(query, submit, append, text):
    found = parse_action(query)
    assert (found.type, found.submit, found.append, found.text) == ("type", submit, append, text)


def test_a_sentence_is_cut_wherever_it_may_be():
    cuts = [(one.text, one.target) for one in readings("Type hello to Bob in Message") if one.type == "type"]
    assert cuts == [("hello", "Bob in Message"), ("hello to Bob", "Message")]


def test_a_verb_with_a_thing_is_also_a_button_of_that_thing():
    owned = [(one.target, one.owner) for one in readings("Add the teapot to the cart") if one.owner]
    assert owned[0] == ("Add to cart", "teapot")
    assert [(one.target, one.owner) for one in readings("Remove the Teapot") if one.owner] == [("Remove", "Teapot")]


def test_the_whole_sentence_may_be_a_name_unless_it_points():
    assert any(one.literal for one in readings("Clear filters"))
    assert not any(one.literal for one in readings("Click Clear filters"))
    assert not any(one.literal for one in readings("Which mark is the search box?"))
