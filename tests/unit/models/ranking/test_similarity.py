"""Names are compared the way a person would forgive a text reader."""

import pytest

from models.ranking.similarity import normalise, similarity


@pytest.mark.parametrize(
    ("wanted", "text", "low", "high"),
    [
        ("Save", "SAVE", 1, 1),
        ("Café", "cafe", 1, 1),
        ("SB ADMIN 2", "SB ADMIN ²", 1, 1),
        ("Sign in", "Signin", 0.99, 0.99),
        ("Password", "Passw0rd", 0.8, 0.99),
        ("Search", "Search for...", 0.6, 0.95),
        ("Show 10 25 50 entries", "Show", 0.4, 0.9),
        ("Save", "Sale prices", 0, 0.5),
        ("Save", "", 0, 0),
        ("", "Save", 0, 0),
        ("+", "+", 1, 1),
        ("+", "-", 0, 0),
        ("Delete", "Home", 0, 0.4),
        ("Email", "Email *", 0.98, 0.99),
        ("Learn more", "Learn more!!!", 0.9, 0.9),
        ("9662", "66", 0, 0),
        ("17", "17 March", 0.6, 0.8),
        ("Compare", "[0] Compare", 0.1, 0.29),
        ("Save", "Mark 7: Save", 0.1, 0.29),
        ("Mark 7: Save", "Mark 7: Save", 1, 1),
    ],
)
def test_similarity(wanted, text, low, high):
    assert low <= similarity(wanted, text) <= high


def test_the_fuller_match_is_better():
    wanted = "Login with Google"
    scores = [similarity(wanted, text) for text in ("Login with Google", "G Login with Google", "Login", "Google maps")]
    assert scores == sorted(scores, reverse=True)


def test_normalising_keeps_letters_of_every_script():
    assert normalise("  Übergröße—搜索  ") == "ubergrosse 搜索"
