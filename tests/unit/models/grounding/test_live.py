"""Mentions told while the text grows are the mentions of the whole text."""

from hypothesis import given
from hypothesis import strategies as st

from models.grounding.live import LiveMentions
from models.vlm.parse import find_mentions

IDS = ("1", "2", "3", "12", "30", "C", "AB")
PIECES = [
    "[",
    "]",
    "3",
    "12",
    ", ",
    "mark ",
    "marks ",
    "Mark #",
    " and ",
    ".",
    " ",
    "\n",
    "- ",
    "**",
    "C",
    "%",
    ".5",
    ",5",
    "x",
    "AB",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.data())
def test_what_is_told_early_is_never_taken_back(pieces: list[str], data: st.DataObject) -> None:
    whole = "".join(pieces)
    live, told, at = LiveMentions(IDS), [], 0
    while at < len(whole):
        at = min(len(whole), at + data.draw(st.integers(1, 4)))
        told += list(live.settled(whole[:at]))
    final = find_mentions(whole, IDS).mentions
    assert set(told) <= set(final)
    assert sorted(told + list(live.rest(final)), key=lambda m: m.char_start) == list(final)


def test_a_bracket_settles_at_once_and_a_bare_word_waits() -> None:
    live = LiveMentions(IDS)
    assert [m.mark for m in live.settled("It is [3]")] == ["3"]
    assert list(live.settled("It is [3]")) == []
    live = LiveMentions(IDS)
    assert list(live.settled("It is mark 3")) == []
    assert [m.mark for m in live.settled("It is mark 3, I think")] == ["3"]
    live = LiveMentions(IDS)
    assert [m.mark for m in live.settled("[1, 12]")] == ["1", "12"]
