"""The state of tick boxes, rings and switches by their pixels: right or unknown, never wrong."""

import cv2
import numpy as np
import pytest

from models.grounding.ticks import is_on

BLUE, GREY, PAPER, INK = (40, 90, 220), (190, 195, 200), (255, 255, 255), (60, 60, 60)


def paper(side=(60, 60), color=PAPER):
    return np.full((*side, 3), color, np.uint8)


def box(*, on, filled=False, size=14, dark=False):
    image = paper(color=(30, 32, 36) if dark else PAPER)
    x0, y0, x1, y1 = 20, 20, 20 + size, 20 + size
    if on and filled:
        cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), BLUE, -1)
    cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), BLUE if on and filled else GREY if dark else INK, 1)
    if on:
        tick = np.array([(0.22, 0.52), (0.42, 0.72), (0.78, 0.28)]) * size + 20
        color = PAPER if filled or dark else INK
        cv2.polylines(image, [tick.round().astype(np.int32)], False, color, 2, cv2.LINE_AA)
    return image, (x0, y0, x1, y1), "checkbox"


def ring(*, on, size=16):
    image = paper()
    middle = (20 + size // 2, 20 + size // 2)
    cv2.circle(image, middle, size // 2, BLUE if on else INK, 1, cv2.LINE_AA)
    if on:
        cv2.circle(image, middle, size // 4, BLUE, -1, cv2.LINE_AA)
    return image, (20, 20, 21 + size, 21 + size), "radio"


def switch(*, on, high=22, wide=40, dark=False):
    image = paper((60, 90), (24, 24, 27) if dark else PAPER)
    radius, y = high // 2, 20 + high // 2
    track = BLUE if on else (80, 80, 86) if dark else (200, 204, 210)
    cv2.rectangle(image, (20 + radius, 20), (20 + wide - radius, 20 + high), track, -1)
    for x in (20 + radius, 20 + wide - radius):
        cv2.circle(image, (x, y), radius, track, -1, cv2.LINE_AA)
    cv2.circle(image, (20 + wide - radius if on else 20 + radius, y), radius - 2, PAPER, -1, cv2.LINE_AA)
    return image, (20, 20, 21 + wide, 21 + high), "switch"


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize(
    "draw",
    [
        box,
        lambda on: box(on=on, size=20),
        lambda on: box(on=on, filled=True, size=18),
        lambda on: box(on=on, dark=True, size=18),
        ring,
        lambda on: ring(on=on, size=22),
        switch,
        lambda on: switch(on=on, high=16, wide=30),
        lambda on: switch(on=on, dark=True),
    ],
)
def test_states_that_can_be_seen_are_told(draw, on):
    assert is_on(*draw(on=on)) is on


def test_what_cannot_be_told_is_unknown():
    image, place, _ = box(on=True)
    assert is_on(image, place, "button") is None
    assert is_on(image, (20, 20, 58, 34), "checkbox") is None, "a box with its label"
    cv2.rectangle(image, (20, 20), (33, 33), BLUE, -1)
    assert is_on(image, place, "checkbox") is None, "an even plate in a colour"
    assert is_on(paper((60, 90)), (20, 20, 61, 43), "switch") is None, "nothing there"
    assert is_on(image, (-5, -5, 3, 3), "checkbox") is None
