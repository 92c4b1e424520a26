import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vlm.parse import ListedItem, find_mentions, parse_listing

NUMBERS = ("1", "2", "3", "7", "12")
LETTERS = ("A", "B", "C", "AA")


def named(text: str, ids: tuple[str, ...] = NUMBERS, *, bare: bool = False) -> list[tuple[str, str]]:
    return [(m.mark, text[m.char_start : m.char_end]) for m in find_mentions(text, ids, bare=bare).mentions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Click [3].", [("3", "[3]")]),
        ("[ 3 ] and [12]", [("3", "[ 3 ]"), ("12", "[12]")]),
        ("[1, 7]", [("1", "1"), ("7", "7")]),
        ("Mark 3.", [("3", "Mark 3")]),
        ("it is mark 3, on the left", [("3", "mark 3")]),
        ("mark #12 and mark number 2", [("12", "mark #12"), ("2", "mark number 2")]),
        ("marks 3 and 7", [("3", "3"), ("7", "7")]),
        ("Marks 1, 2, and 12.", [("1", "1"), ("2", "2"), ("12", "12")]),
        ("marks 1,2,3", [("1", "1"), ("2", "2"), ("3", "3")]),
        ("marks 1-3", [("1", "1"), ("3", "3")]),
        ("1. red circle\n2: blue\n3) green", [("1", "1"), ("2", "2"), ("3", "3")]),
        ("Here:\n  - 7. a\n* 12: b", [("7", "7"), ("12", "12")]),
        ("**3.** bold\n**7**: too", [("3", "3"), ("7", "7")]),
        ("mark 3 and 7 dogs", [("3", "mark 3")]),
    ],
)
def test_finds_every_form(text: str, expected: list[tuple[str, str]]) -> None:
    assert named(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "3 dogs",
        "in 2024",
        "$3.50",
        "See 3.",
        "3.5 m",
        "10:30 now",
        "3:45",
        "mark 3.5",
        "mark 3,000",
        "mark 12th",
        "benchmark 3",
        "Mark Twain",
        "remarks 3 and 7",
        "[3.5]",
        "[3 dogs]",
        "a[3x]",
        "3",
        "x = 3",
        "",
    ],
)
def test_ordinary_numbers_are_no_marks(text: str) -> None:
    found = find_mentions(text, NUMBERS)
    assert (found.mentions, found.unresolved) == ((), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[99]", ("99",)),
        ("mark 42 or marks 3 and 55", ("42", "55")),
        ("17. door\n17. again", ("17",)),
        ("[2024] [03]", ("03",)),
    ],
)
def test_ids_that_do_not_exist_are_unresolved_once(text: str, expected: tuple[str, ...]) -> None:
    assert find_mentions(text, NUMBERS).unresolved == expected


def test_a_long_id_that_exists_is_a_mention() -> None:
    assert named("[2024]", ("2024",)) == [("2024", "[2024]")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[A] and mark C", [("A", "[A]"), ("C", "mark C")]),
        ("marks A, B and AA", [("A", "A"), ("B", "B"), ("AA", "AA")]),
        ("A. first line", []),
        ("A dog and mark Bob", []),
        ("mark a dog", []),
    ],
)
def test_letters_only_in_brackets_or_after_the_word(text: str, expected: list[tuple[str, str]]) -> None:
    assert named(text, LETTERS) == expected


def test_letters_mean_nothing_where_marks_are_numbers() -> None:
    found = find_mentions("[C] and mark I", NUMBERS)
    assert (found.mentions, found.unresolved) == ((), ())


@pytest.mark.parametrize(("text", "expected"), [("3", [("3", "3")]), (" 12. ", [("12", "12")]), ("3 dogs", [])])
def test_a_bare_id_counts_on_request(text: str, expected: list[tuple[str, str]]) -> None:
    assert named(text, bare=True) == expected


def test_marks_are_listed_once_in_order_of_mention() -> None:
    assert find_mentions("[7], [3], mark 7", NUMBERS).marks == ("7", "3")


def test_listing_takes_the_first_line_of_each_existing_mark() -> None:
    text = "Here:\n1. red circle.\n**2.** blue\n[3] - a door\nMark 7: tap\n99. nope\n3 dogs\n1. again\n12."
    assert parse_listing(text, NUMBERS) == (
        ListedItem(mark="1", label="red circle"),
        ListedItem(mark="2", label="blue"),
        ListedItem(mark="3", label="a door"),
        ListedItem(mark="7", label="tap"),
    )


def test_listing_reads_letters() -> None:
    assert parse_listing("A. cat\nB: dog", LETTERS) == (
        ListedItem(mark="A", label="cat"),
        ListedItem(mark="B", label="dog"),
    )


PIECES = st.sampled_from(
    [
        "[",
        "]",
        "mark ",
        "Marks ",
        "1",
        "12",
        "3",
        "99",
        "C",
        "AA",
        ",",
        " and ",
        ". ",
        ":",
        "\n",
        "-",
        "**",
        "é",
        "\u2028",
        " ",
        "#",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)), st.sampled_from([NUMBERS, LETTERS, ()]), st.booleans())
def test_any_text_gives_sorted_spans_that_hold_their_id(text: str, ids: tuple[str, ...], bare: bool) -> None:
    found = find_mentions(text, ids, bare=bare)
    end = 0
    for mention in found.mentions:
        assert mention.mark in ids
        assert end <= mention.char_start < mention.char_end <= len(text)
        assert mention.mark in text[mention.char_start : mention.char_end]
        end = mention.char_end
    assert not set(found.unresolved) & set(ids)
    assert {item.mark for item in parse_listing(text, ids)} <= set(ids)


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "[1,",
        "[1 ,  ",
        "marks 1, ",
        "marks 1",
        ", 1",
        "\n",
        "mark ",
        "- ",
        "*",
        "12",
        " ",
        "[1",
        "mark #",
        "1-",
        "A",
    ],
)
def test_time_grows_linearly(piece: str) -> None:
    text = "marks 1" + piece * (200_000 // len(piece)) + "x"
    start = time.process_time()
    find_mentions(text, NUMBERS)
    parse_listing(text, NUMBERS)
    assert time.process_time() - start < 3.0
