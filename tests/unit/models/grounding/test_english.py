"""The English rules: marks named in a question, phrases of a sentence, and how many things a phrase speaks of."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grounding.noun_phrases import noun_phrases
from models.grounding.plural import how_many
from models.grounding.query_marks import asks_beside_mark, marks_in_query

IDS = [str(number) for number in range(1, 31)]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("what is left of 3?", ["3"]),
        ("Is 12 above 4 or below 7?", ["12", "4", "7"]),
        ("What is [3] and what is mark 5?", ["3", "5"]),
        ("Compare marks 3 and 7", ["3", "7"]),
        ("what is next to #9", ["9"]),
        ("what are the 3 dogs doing?", []),
        ("how many of the 3 are red", []),
        ("there are 3 dogs", []),
        ("it costs 3.50 or 3%", []),
        ("meet at 12:30 on 3/4", []),
        ("what is left of 77?", []),
        ("the top 3?", []),
    ],
)
def test_marks_named_in_a_question(query: str, named: list[str]) -> None:
    assert list(marks_in_query(query, IDS)) == named


def test_letters_are_marks_only_where_they_can_be_nothing_else() -> None:
    assert marks_in_query("what is left of C?", ["A", "B", "C"]) == ("C",)
    assert marks_in_query("A dog and I", ["A", "I"]) == ()
    assert marks_in_query("compare [A] with B", ["A", "B"]) == ("A", "B")


@given(st.text(max_size=200), st.lists(st.sampled_from(IDS), max_size=4))
def test_only_existing_marks_are_named(query: str, ids: list[str]) -> None:
    assert set(marks_in_query(query, ids)) <= set(ids)


def test_a_place_beside_a_mark_is_asked_for() -> None:
    assert asks_beside_mark("what is left of 3?", IDS)
    assert not asks_beside_mark("what is left of the door?", IDS)
    assert not asks_beside_mark("what colour is 3?", IDS)
    assert not asks_beside_mark("is 12 above 4?", IDS)
    assert not asks_beside_mark("What colour is the thing left of 3?", IDS)


@pytest.mark.parametrize(
    ("sentence", "phrases"),
    [
        ("A man in glasses holding a piece of paper near the red car.", "A man|glasses|a piece of paper|the red car"),
        ("A dog chases the cat.", "A dog|the cat"),
        ("Two young women are sitting on a wooden bench next to a white dog", "Two young women|a wooden bench|a white dog"),
        ("The red circle is left of the blue square and above a green triangle.", "The red circle|the blue square|a green triangle"),
        ("An old woman with her two small children crosses a busy road", "An old woman|her two small children|a busy road"),
        ("The smiling woman in front of the parked cars eats an ice-cream", "The smiling woman|the parked cars|an ice-cream"),
        ("red circle, blue square", "red circle|blue square"),
        ("a man wears a blue shirt", "a man|a blue shirt"),
        ("Sit!", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_noun_phrases_of_a_sentence(sentence: str, phrases: str) -> None:
    found = [sentence[span.char_start : span.char_end] for span in noun_phrases(sentence)]
    assert found == ([phrase for phrase in phrases.split("|") if phrase])


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["a", "the", "of", "red", "in", "[", "3", "sitting", "'"])).map(" ".join)
)
def test_spans_are_in_order_apart_and_without_blanks_at_their_ends(sentence: str) -> None:
    end = 0
    for span in noun_phrases(sentence):
        assert end <= span.char_start < span.char_end <= len(sentence)
        words = sentence[span.char_start : span.char_end]
        assert words == words.strip()
        end = span.char_end


@pytest.mark.parametrize(
    ("phrase", "count"),
    [
        ("the red cup", 1), ("two dogs", 2), ("the two dogs", 2), ("3 cups", 3), ("mark 3", 1), ("button 2", 1),
        ("the dogs", math.inf), ("people", math.inf), ("several cups of tea", math.inf), ("a pair of shoes", 1),
        ("a box of apples", 1), ("the glass", 1), ("the bus", 1), ("Settings", 1), ("the Contacts", 1), ("", 1),
        ("men in hats", math.inf), ("both", 2),
    ],
)  # fmt: skip
def test_how_many_things_a_phrase_speaks_of(phrase: str, count: float) -> None:
    assert how_many(phrase) == count
