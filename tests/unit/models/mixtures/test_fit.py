"""A text about corrected marks fits only if it says nothing that the correction denies."""

from dataclasses import replace

import pytest

from models.mixtures.fit import still_fits
from models.writers.types import TaggedMark

BEFORE = [
    TaggedMark(id="1", name="cat", bbox_xyxy_px=(0, 0, 10, 10)),
    TaggedMark(id="2", name="dog", bbox_xyxy_px=(20, 0, 30, 10)),
]
LISTING = [{"from": "human", "value": "<image>\nList."}, {"from": "gpt", "value": "1. cat\n2. dog"}]
TALK = [{"from": "human", "value": "<image>\nWhat is mark 2?"}, {"from": "gpt", "value": "A dog."}]


def corrected(**changes: object) -> list[TaggedMark]:
    return [replace(BEFORE[0], **changes), BEFORE[1]]  # type: ignore[arg-type]  # fields of the mark


@pytest.mark.parametrize(
    ("kind", "turns", "after", "fits"),
    [
        ("listing", LISTING, BEFORE, True),
        ("listing", LISTING, corrected(name="Cat "), True),
        ("listing", LISTING, corrected(name="lynx"), False),
        ("listing", LISTING, corrected(bbox_xyxy_px=(0, 0, 9, 10)), True),
        ("listing", LISTING, corrected(bbox_xyxy_px=(0, 0, 3, 10)), False),
        ("listing", LISTING, BEFORE[:1], False),
        ("listing", LISTING, [*BEFORE, TaggedMark(id="3", name="cow", bbox_xyxy_px=(0, 0, 1, 1))], False),
        ("conversation", TALK, corrected(name="lynx"), True),
        ("conversation", TALK, BEFORE[:1], False),
        ("conversation", TALK, BEFORE[1:], True),
    ],
)
def test_fit(kind: str, turns: list[dict[str, str]], after: list[TaggedMark], *, fits: bool) -> None:
    assert still_fits(kind, turns, BEFORE, after) is fits


def test_a_listing_that_a_person_corrected_too_fits() -> None:
    edited = [LISTING[0], {"from": "gpt", "value": "1. lynx\n2. dog"}]
    assert still_fits("listing", edited, BEFORE, corrected(name="lynx"))
