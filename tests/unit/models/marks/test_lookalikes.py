import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from models.marks.labels import color_of, label_pixels
from models.marks.lookalikes import find_lookalikes, mark_with, without_lookalikes

PAPER = np.full((120, 200, 3), 246, np.uint8)


def painted(text: str, high: int, color: tuple[int, int, int], x: int = 60, y: int = 40) -> np.ndarray:
    picture, label = PAPER.copy(), label_pixels(text, high, color)
    picture[y : y + high, x : x + label.shape[1]] = label
    return picture


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 99), st.integers(13, 30), st.integers(0, 98))
def test_a_label_of_ours_is_found_where_it_is_and_read(number: int, high: int, color: int) -> None:
    found = find_lookalikes(painted(str(number), high, color_of(color)))
    assert [each.text for each in found] == [str(number)]
    x0, y0, x1, y1 = found[0].bbox_xyxy_px
    assert max(abs(x0 - 60), abs(y0 - 40), abs(y1 - 40 - high)) <= 2
    assert x1 > x0


def test_a_compressed_one_is_found_too() -> None:
    picture = painted("42", 20, (204, 0, 0))
    packed = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], cv2.IMREAD_COLOR)
    assert [each.text for each in find_lookalikes(packed)] == ["42"]


@pytest.mark.parametrize("shape", ["plain", "button", "badge", "cell"])
def test_other_numbers_on_a_page_are_let_be(shape: str) -> None:
    picture = Image.fromarray(PAPER)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    if shape == "button":
        pen.rectangle((60, 30, 100, 62), outline=(40, 40, 40))
    if shape == "badge":
        pen.ellipse((60, 32, 84, 56), fill=(200, 30, 40))
    if shape == "cell":
        pen.rectangle((50, 30, 120, 60), fill=(210, 225, 240))
    pen.text(
        (68, 36),
        "7" if shape == "badge" else "27",
        fill=(250, 250, 250) if shape == "badge" else (20, 20, 20),
        font=font,
    )
    assert find_lookalikes(np.asarray(picture)) == ()


def test_the_mark_that_shows_a_look_alike_is_named() -> None:
    (found,) = find_lookalikes(painted("12", 18, (0, 0, 0)))
    boxes = {"1": (0, 0, 200, 120), "2": (50, 30, 100, 70), "3": (120, 80, 160, 110)}
    assert mark_with(found, boxes) == "2"
    assert mark_with(found, {"3": boxes["3"]}) is None


def test_a_tiny_picture_has_none() -> None:
    assert find_lookalikes(np.zeros((1, 1, 3), np.uint8)) == ()


def test_a_painted_tag_is_filled_from_what_is_round_it_and_a_clean_picture_stays_the_same_array() -> None:
    hidden = painted("42", 20, (204, 0, 0))
    assert np.abs(without_lookalikes(hidden).astype(int) - 246).max() <= 12
    assert hidden.min() < 100, "the picture that was given is not touched"
    assert without_lookalikes(PAPER) is PAPER
