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
