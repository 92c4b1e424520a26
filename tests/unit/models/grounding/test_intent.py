"""Questions that ask for a mark, and questions that ask for words."""

import pytest

from models.grounding.intent import asks_for_mark


@pytest.mark.parametrize(
    "query",
    [
        "Which mark is the search box?",
        "which mark is Sign in",
        "What mark shows the red circle?",
        "What is the mark of the blue square?",
        "Where is the login button?",
        "Where do I click to log in?",
        "Find the cart.",
        "Point at the star.",
        "  Which number is the save button?",
    ],
)
def test_asks_for_a_mark(query: str) -> None:
    assert asks_for_mark(query)


@pytest.mark.parametrize(
    "query",
    [
        "What is mark 3?",
        "What does mark 3 say?",
        "What is left of 3?",
        "How many buttons are there?",
        "Is there a search box?",
        "Describe the page.",
        "Findings of the report?",
        "Nowhere is safe",
        "",
    ],
)
def test_asks_for_words(query: str) -> None:
    assert not asks_for_mark(query)
