"""The automatic mark kind: letters where the picture is full of numbers, numbers everywhere else."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.marks import Previous, mark, place
from models.marks import labels as label_module
from models.marks.glyphs import mostly_digits
from models.marks.kinds import kind_for
from models.regions import Regions

SIZE = (300, 400)
BOXES = [[20, 20, 120, 60], [20, 100, 120, 140], [200, 20, 300, 60]]


def printed(words, *, dark):
    """A page of our own with these words, in the labels' font."""
    paper, ink = ((24, 32, 48), (230, 230, 230)) if dark else ((255, 255, 255), (20, 20, 20))
    page = Image.new("RGB", (640, 320), paper)
    font = ImageFont.truetype(str(label_module._FONT_PATH), 18, layout_engine=ImageFont.Layout.BASIC)
    for i, word in enumerate(words):
        ImageDraw.Draw(page).text((20 + 150 * (i % 4), 20 + 32 * (i // 4)), word, fill=ink, font=font)
    return np.asarray(page)


NUMBERS = [str(317 * n % 9973) for n in range(3, 35)]
WORDS = ["Settings", "Account", "network", "Help", "Privacy", "market", "Layout", "Update"] * 4


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["7", "8", "9", "+", "4", "5"], "letter"),
        (["Mon 12", "Tue 13", "Wed 14", "today"], "letter"),
        (["Save", "Cancel", "Open file"], "number"),
        (["A", "B", "3", "OK"], "number"),
        (["Total 1,204,331 EUR", "Order 20451", "2026"], "letter"),
        (["Order 20451", "Ticket 99231"], "number"),
        (["Home", "About", "Prices", "Contact", "Page 2"], "number"),
        ([None, None], "number"),
        ([], "number"),
    ],
)
def test_texts_that_look_like_ids_decide(texts, kind):
    assert kind_for(texts) == kind


@pytest.mark.parametrize("dark", [False, True])
def test_without_texts_printed_digits_decide(dark):
    assert mostly_digits(printed(NUMBERS, dark=dark))
    assert not mostly_digits(printed(WORDS, dark=dark))
    assert not mostly_digits(printed(NUMBERS[:8] + WORDS, dark=dark))


def test_a_picture_without_print_gets_numbers():
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    assert not mostly_digits(noise)
    assert not mostly_digits(np.full((5, 5, 3), 90, np.uint8))
    assert kind_for([None], noise) == "number"


def test_auto_marks_a_number_pad_with_letters_and_says_so():
    regions = Regions.from_boxes(SIZE, BOXES, texts=["1", "2", "3"])
    _, marking = mark(np.full((*SIZE, 3), 200, np.uint8), regions, {"kind": "auto"})
    assert [one.id for one in marking.marks] == ["A", "B", "C"]
    assert marking.style.kind == "letter"


def test_auto_keeps_the_kind_of_the_previous_marking():
    before = Regions.from_boxes(SIZE, BOXES, texts=["1", "2", "3"])
    first = place(before, {"kind": "auto"})
    after = Regions.from_boxes(SIZE, BOXES, texts=["Save", "Open", "Close"])
    second = place(after, {"kind": "auto"}, previous=Previous(regions=before, marking=first))
    assert [one.id for one in second.marks] == [one.id for one in first.marks]
