"""What counts as a listing, and what only looks like one."""

import pytest

from models.corpora.listing_format import LEAST_ITEMS, has_listing, runs


@pytest.mark.parametrize(
    "text",
    [
        "1. a cup\n2. a plate",
        "Here are the items:\n\n1. a cup\n2. a plate\n3. a fork\nEnjoy.",
        "1) cup\n2) plate",
        "(1) cup (2) plate",
        "1: cup\n2: plate",
        "1. person, 2. cat, 3. dog.",
        "There are two things: 1. The cup. 2. The plate.",
        "**1. Cup** is here\n**2. Plate** too",
        "> 1. quoted\n> 2. twice",
        "10. before\n1. cup\n2. plate",
        "1. \"cup\"\n2. 'plate'",
        "\t1. cup\n\t2. plate",
    ],
)
def test_listings(text: str) -> None:
    assert has_listing(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A cup and a plate.",
        "1. only one item",
        "It costs 1.50 or 2.75 euros.",
        "In 2012. Then 2013. And so on.",
        "1. cup\n3. plate",
        "2. cup\n3. plate",
        "1.\n2.\n",
        "Version 1.2 and 2.1",
        "rows 1 and 2",
        "At 1: 30 or 2: 45",
        "- cup\n- plate",
        "first cup, second plate",
        "item1. cup item2. plate",
    ],
)
def test_no_listings(text: str) -> None:
    assert not has_listing(text)


def test_runs_are_counted_from_one_and_end_where_the_numbers_break() -> None:
    assert list(runs("1. a\n2. b\n3. c\n\n1. d\n2. e\n7. f\n1. g")) == [3, 2]
    assert LEAST_ITEMS == 2
