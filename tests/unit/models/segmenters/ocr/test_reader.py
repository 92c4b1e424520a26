"""The text reader on drawn text: what it reads and where, on either engine, with and without memory."""

import numpy as np
import pytest

from models.errors import WeightsMissing
from models.segmenters.networks import engine_name
from models.segmenters.ocr import OcrReader, PageText, reader
from tests.unit.models.segmenters.screenshot import Screen


@pytest.fixture(scope="module")
def kept():
    return OcrReader(threads=1)


def form(changed="Delete 42 files"):
    screen = Screen(size=(1280, 800))
    screen.text(40, 60, "Account settings")
    screen.text(700, 60, "Sign out")
    screen.text(40, 400, "Between two bands")
    screen.text(40, 700, changed)
    return screen


def test_drawn_words_are_read_with_every_character_in_place(kept):
    screen = form()
    lines = PageText(kept, screen.image).read_all()
    assert [line.text for line in lines] == [line.text for line in screen.lines]
    for line, truth in zip(lines, screen.lines, strict=True):
        assert len(line.char_x_px) == len(truth.char_x_px)
        assert max(abs(a - b) for a, b in zip(line.char_x_px, truth.char_x_px, strict=True)) < 5


def test_both_engines_read_the_same(kept):
    if engine_name() != "openvino":
        pytest.skip("openvino is not installed here, so there is one engine only")
    screen = form()
    one, other = (PageText(it, screen.image).read_all() for it in (kept, OcrReader(threads=1, engine="onnxruntime")))
    assert [line.text for line in one] == [line.text for line in other]
    for line, twin in zip(one, other, strict=True):
        assert np.abs(np.subtract(line.bbox_xyxy_px, twin.bbox_xyxy_px)).max() <= 2


def test_remembered_lines_equal_recomputed_ones_and_cost_nothing(monkeypatch):
    with_memory, without = OcrReader(threads=2), OcrReader(threads=2, remember=False)
    pages = [form().image, form().image, form("Rename 7 folders").image]
    ran = []
    for page in pages:
        text = PageText(with_memory, page)
        models = with_memory._loaded()
        lines = text.read_all()
        assert lines == PageText(without, page).read_all()
        if not ran:
            for name in ("detector", "recogniser"):
                count_runs(monkeypatch, getattr(models, name), name, ran)
            ran.append("first page")
    assert ran == ["first page", ("detector", 1), ("recogniser", 1)], "only the changed band and the changed line run"


def test_a_full_page_screenshot_is_read_line_by_line_as_if_it_were_many(kept):
    tall = Screen(size=(900, 2600))
    for row in range(26):
        tall.text(40 + 20 * (row % 3), 30 + 99 * row, f"Chapter {row} of it")
    lines = PageText(kept, tall.image).read_all()
    assert [line.text for line in lines] == [line.text for line in tall.lines]
    for line, truth in zip(lines, tall.lines, strict=True):
        assert np.abs(np.subtract(line.bbox_xyxy_px, truth.bbox_xyxy_px)).max() < 8


def count_runs(monkeypatch, network, name, ran):
    run = network.run

    def counted(pictures, prepare, finish):
        if pictures:
            ran.append((name, len(pictures)))
        return run(pictures, prepare, finish)

    monkeypatch.setattr(network, "run", counted)


def test_a_small_capture_is_enlarged_before_lines_are_sought(kept):
    screen = Screen(size=(320, 200))
    screen.text(20, 40, "Tiny window")
    (line,) = PageText(kept, screen.image).read_all()
    assert line.text == "Tiny window"
    assert np.abs(np.subtract(line.bbox_xyxy_px, screen.lines[0].bbox_xyxy_px)).max() < 8


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (9, 7, 3), (800, 1280, 3)])
def test_a_blank_picture_has_no_lines(kept, shape):
    assert kept.locate(np.full(shape, 200, np.uint8)) == []


def test_a_blank_picture_loads_the_models_ahead():
    reader = OcrReader(threads=1)
    reader.locate(np.zeros((64, 64, 3), np.uint8))
    assert reader._models is not None


def test_missing_model_files_are_named(monkeypatch):
    monkeypatch.setattr(reader, "_RECOGNISER", "absent.onnx")
    with pytest.raises(WeightsMissing, match=r"absent\.onnx"):
        OcrReader(threads=1).locate(np.zeros((64, 64, 3), np.uint8))
