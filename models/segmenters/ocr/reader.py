"""The text reader: PP-OCRv6 small, found and recognised apart, each remembered by its pixels.

Used by `models.segmenters.gui`. The two model files ship inside the wheel of RapidOCR, of which nothing else is used: its
own pipeline pads batches, drops lines without words and offers no switch for threads. Nothing is ever downloaded.
"""

import importlib.util
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsMissing
from models.segmenters.networks import Network, engine_name, open_network
from models.segmenters.ocr import detection, recognition
from models.segmenters.ocr.lines import Box, TextLine
from models.segmenters.ocr.memory import Memory, pixel_key

_DETECTOR, _RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
# About 1 KB a line and 5 KB a band: 5 MB in all, some 80 different screens.
_KEPT_LINES, _KEPT_BANDS = 4096, 256

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Models:
    detector: Network
    recogniser: Network
    alphabet: tuple[str, ...]


class OcrReader:
    """Reads text on at most `threads` cores; models are loaded at the first read. Same pixels, same lines."""

    def __init__(self, threads: int | None = None, *, engine: str | None = None, remember: bool = True) -> None:
        """Use `engine` ("openvino" or "onnxruntime"; default: the first that is installed) on two threads or fewer.

        A third core gained nothing on single pages. `remember=False` recomputes everything, for tests and benches.
        """
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._engine = engine or engine_name()
        self.version = f"ppocrv6-small-2-{self._engine}"
        self._lock = threading.Lock()
        self._models: _Models | None = None
        self._bands: Memory[list[Box]] = Memory(_KEPT_BANDS if remember else 0)
        self._lines: Memory[recognition.Reading] = Memory(_KEPT_LINES if remember else 0)

    def locate(self, image: Image) -> list[Box]:
        """Return the boxes of the text lines of `image` ((H, W, 3) uint8 RGB) row by row; raises WeightsMissing."""
        if min(image.shape[:2]) < 4:
            return []
        zoom = detection.zoom_for((image.shape[0], image.shape[1]))
        size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
        large = image if zoom == 1.0 else np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        with self._lock:
            # Even for a blank picture: workers show one to have the models loaded ahead.
            models = self._loaded()
            found = self._locate(large, models)
        boxes = [
            (math.floor(x0 / zoom), math.floor(y0 / zoom), math.ceil(x1 / zoom), math.ceil(y1 / zoom))
            for x0, y0, x1, y1 in found
        ]
        return detection.reading_rows([box for box in boxes if box[2] - box[0] >= 3 and box[3] - box[1] >= 3])

    def recognise(self, image: Image, boxes: Sequence[Box]) -> list[TextLine | None]:
        """Return the line in each of `boxes` (whole pixels) on `image`, None where nothing is legible."""
        crops = [image[int(y0) : int(y1), int(x0) : int(x1)] for x0, y0, x1, y1 in boxes]
        with self._lock:
            readings = self._recognise(crops)
        return [recognition.place(reading, box) for reading, box in zip(readings, boxes, strict=True)]

    def _locate(self, image: Image, models: _Models) -> list[Box]:
        """Boxes of all bands, those seen before from memory."""
        size_hw = (image.shape[0], image.shape[1])
        every = detection.bands(size_hw)
        keys = [pixel_key(image[one.top : one.bottom], one.top - one.first, one.last - one.first) for one in every]
        known = {index: kept for index, key in enumerate(keys) if (kept := self._bands.get(key)) is not None}
        new = [index for index in range(len(every)) if index not in known]
        parts = {index: image[every[index].top : every[index].bottom] for index in new}
        drawn = [index for index, part in parts.items() if (part != part[:1, :1]).any()]
        seen = models.detector.run([parts[index] for index in drawn], detection.network_input, _map_of)
        maps = dict(zip(drawn, seen, strict=True))
        for index in new:
            one = every[index]
            lines = detection.lines_of(maps[index], (one.bottom - one.top, size_hw[1])) if index in maps else []
            known[index] = [box for box in lines if detection.owns(one, box)]
            self._bands.put(keys[index], known[index])
        return detection.joined([(one, known[index]) for index, one in enumerate(every)])

    def _recognise(self, crops: Sequence[Image]) -> list[recognition.Reading]:
        """Readings of all crops, each different one computed once."""
        keys = [pixel_key(crop) for crop in crops]
        known = {key: kept for key in keys if (kept := self._lines.get(key)) is not None}
        new = {key: crop for key, crop in zip(keys, crops, strict=True) if key not in known}
        if new:
            models = self._loaded()
            answers = models.recogniser.run(list(new.values()), recognition.network_input, _best_classes)
            for (key, crop), (best, chance) in zip(new.items(), answers, strict=True):
                width = recognition.text_width(crop)
                filled = width / recognition.padded_width(width)
                known[key] = recognition.decode(best, chance, models.alphabet, filled)
                self._lines.put(key, known[key])
        return [known[key] for key in keys]

    def _loaded(self) -> _Models:
        if self._models is None:
            folder = _model_folder()
            recogniser = open_network(folder / _RECOGNISER, self._threads, self._engine)
            alphabet = ("", *recogniser.metadata["character"].splitlines(), " ")
            detector = open_network(folder / _DETECTOR, self._threads, self._engine)
            self._models = _Models(detector=detector, recogniser=recogniser, alphabet=alphabet)
        return self._models


def _map_of(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """The chances of text at every pixel of a band, out of the engine's memory."""
    return np.array(output[0, 0], np.float32)


def _best_classes(output: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Class and probability of every column: the whole answer is 18,710 numbers a column."""
    best = output[0].argmax(axis=1)
    return best, np.take_along_axis(output[0], best[:, None], axis=1)[:, 0].copy()


def _model_folder() -> Path:
    """Where RapidOCR keeps its models, found without importing it: that would cost half a second."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise WeightsMissing("the text reader's models come with the package rapidocr; install it")
    return Path(spec.origin).parent / "models"
