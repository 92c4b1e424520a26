"""The engines: order of results, what is opened, and that nothing is reported to anybody."""

import subprocess
import sys

import numpy as np
import pytest

from models.errors import WeightsMissing
from models.segmenters.detector import WEIGHTS
from models.segmenters.networks import engine_name, open_network
from models.segmenters.ocr.reader import _DETECTOR, _model_folder

ENGINES = sorted({"onnxruntime", engine_name()})


def blank(picture):
    return np.zeros((1, 3, *picture.shape[:2]), np.float32)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("threads", [1, 2])
def test_results_come_in_the_order_of_the_pictures_whatever_runs_first(engine, threads):
    network = open_network(_model_folder() / _DETECTOR, threads, engine)
    pictures = [np.zeros((32, wide, 3), np.uint8) for wide in (32, 128, 64)]
    assert network.run(pictures, blank, lambda output: output.shape[-1]) == [32, 128, 64]
    assert network.run([], blank, lambda output: output.shape) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsMissing, match=r"absent\.onnx"):
        open_network(tmp_path / "absent.onnx", 1)


def test_the_segmenter_imports_no_engine_and_the_engine_no_telemetry():
    program = (
        "import sys, models.segmenters.gui\n"
        "assert not {'openvino', 'onnxruntime', 'rapidocr', 'torch'} & set(sys.modules), 'loaded at import'\n"
        "from models.segmenters.ocr.reader import OcrReader\n"
        "OcrReader(1)._loaded()\n"
        "assert 'rapidocr' not in sys.modules\n"
        "assert sys.modules.get('openvino_telemetry') is None\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_outputs_of_the_element_detector_are_given_and_stay(engine):
    network = open_network(WEIGHTS, 1, engine, lanes=1)
    first = network.answer(np.zeros((1, 64, 96, 3), np.uint8))
    kept = [output.copy() for output in first]
    network.answer(np.full((1, 64, 96, 3), 255, np.uint8))
    assert [output.shape[2:] for output in first] == [(16, 24), (8, 12)]
    for one, other in zip(first, kept, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_file_says_of_itself_is_read(engine):
    assert {"roles", "strides", "threshold"} <= set(open_network(WEIGHTS, 1, engine).metadata)
