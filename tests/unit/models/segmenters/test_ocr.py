"""The text reader on drawn text, and cutting lines by where their characters stand."""

import pytest

from models.errors import WeightsMissing
from models.segmenters import ocr
from models.segmenters.ocr import RapidOcrReader, TextLine
from tests.unit.models.segmenters.screenshot import Screen

LINE = TextLine(text="Yes or No", bbox_xyxy_px=(0, 0, 90, 10), score=1.0, char_x_px=(5, 15, 25, 45, 55, 75, 85))


@pytest.mark.parametrize(
    ("span", "text"),
    [((0, 90), "Yes or No"), ((0, 30), "Yes"), ((40, 90), "or No"), ((28, 40), ""), ((10, 50), "es o")],
)
def test_a_line_is_cut_by_its_characters(span, text):
    assert LINE.slice_text(*span) == text
    cut = LINE.slice(*span)
    assert (cut.text, len(cut.char_x_px)) == (text, len(text.replace(" ", "")))


def test_a_line_without_positions_stays_whole_or_empty():
    line = TextLine(text="abc", bbox_xyxy_px=(0, 0, 30, 10), score=1.0)
    assert (line.slice_text(0, 20), line.slice_text(20, 30)) == ("abc", "")


def test_drawn_words_are_read_with_every_character_in_place():
    screen = Screen()
    screen.text(40, 60, "Account settings")
    screen.text(40, 160, "Delete 42 files")
    lines = RapidOcrReader(threads=1).read(screen.image)
    assert [line.text for line in lines] == ["Account settings", "Delete 42 files"]
    for line, truth in zip(lines, screen.lines, strict=True):
        assert len(line.char_x_px) == len(truth.char_x_px)
        assert max(abs(a - b) for a, b in zip(line.char_x_px, truth.char_x_px, strict=True)) < 5


def test_missing_model_files_are_named(monkeypatch):
    monkeypatch.setattr(ocr, "_MODEL_FILES", {"Det": "absent.onnx"})
    with pytest.raises(WeightsMissing, match=r"absent\.onnx"):
        RapidOcrReader(threads=1).read(Screen().image)
