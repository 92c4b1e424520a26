"""Reads text lines from pixels with RapidOCR (PP-OCRv6 small, ONNX), keeping where every character stands.

Used by `models.segmenters.gui`. It knows nothing about widgets. The model files ship inside RapidOCR's wheel: nothing
is ever downloaded. Detection and recognition are called apart, because only then are the column positions of the
characters available without RapidOCR's own word boxes (which drop lines that hold no word and shift the rest).
"""

import os
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsMissing

Box = tuple[float, float, float, float]

_MIN_SCORE = 0.5
_MODEL_FILES = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One recognised line: its box, its text and the x centre of each of its non-space characters."""

    text: str
    bbox_xyxy_px: Box
    score: float
    char_x_px: tuple[float, ...] = ()

    @property
    def height_px(self) -> float:
        """Height of the box."""
        return self.bbox_xyxy_px[3] - self.bbox_xyxy_px[1]

    def slice_text(self, x0_px: float, x1_px: float) -> str:
        """Return the part of the text whose characters have their centre in [x0, x1)."""
        glyphs = [index for index, char in enumerate(self.text) if not char.isspace()]
        if len(glyphs) != len(self.char_x_px):
            return self.text if x0_px <= (self.bbox_xyxy_px[0] + self.bbox_xyxy_px[2]) / 2 < x1_px else ""
        inside = [glyph for glyph, x in zip(glyphs, self.char_x_px, strict=True) if x0_px <= x < x1_px]
        return self.text[inside[0] : inside[-1] + 1] if inside else ""

    def slice(self, x0_px: float, x1_px: float) -> "TextLine":
        """Return the line cut to [x0, x1) in x: box, text and characters."""
        left, top, right, bottom = self.bbox_xyxy_px
        return TextLine(
            text=self.slice_text(x0_px, x1_px),
            bbox_xyxy_px=(max(left, x0_px), top, min(right, x1_px), bottom),
            score=self.score,
            char_x_px=tuple(x for x in self.char_x_px if x0_px <= x < x1_px),
        )


class TextReader(Protocol):
    """Reads the text lines of an image, top to bottom."""

    version: str

    def read(self, image: NDArray[np.uint8]) -> list[TextLine]:
        """Return the lines of `image` ((H, W, 3) uint8 RGB)."""
        ...


class RapidOcrReader:
    """RapidOCR on ONNX Runtime, loaded at the first read; `threads` bounds the cores one read may use."""

    version = "rapidocr-ppocrv6-small-1"

    def __init__(self, threads: int | None = None) -> None:
        """Remember the thread bound; by default two, because a third core gained nothing on 40-pixel crops."""
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._engine: Any = None

    def read(self, image: NDArray[np.uint8]) -> list[TextLine]:
        """Return the lines of `image` ((H, W, 3) uint8 RGB); raises WeightsMissing if the model files are gone."""
        if min(image.shape[:2]) < 4:
            return []
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        with self._lock:
            engine = self._loaded()
            boxes = engine(bgr, use_det=True, use_cls=False, use_rec=False).boxes
            if boxes is None or len(boxes) == 0:
                return []
            rects = [_outer_rect(quad, image.shape[1], image.shape[0]) for quad in boxes]
            rects = [rect for rect in rects if rect[2] - rect[0] >= 3 and rect[3] - rect[1] >= 3]
            if not rects:
                return []
            engine.return_word_box = True
            crops = [np.ascontiguousarray(bgr[y0:y1, x0:x1]) for x0, y0, x1, y1 in rects]
            found = engine.recognize_txt(crops)
        lines = map(_line, rects, found.txts, found.scores, found.word_results)
        return [line for line in lines if line.text and line.score >= _MIN_SCORE]

    def _loaded(self) -> Any:
        """Build the engine on our own ONNX sessions: RapidOCR offers no switch for spinning threads."""
        if self._engine is None:
            import rapidocr
            from omegaconf import flag_override

            folder = Path(rapidocr.__file__).parent / "models"
            engine = rapidocr.RapidOCR(
                params={"Global.log_level": "error", "Global.use_cls": False, "Rec.rec_batch_num": 1}
            )
            with flag_override(engine.cfg, "allow_objects", True):
                for part, name in _MODEL_FILES.items():
                    engine.cfg[part]["session"] = _session(folder / name, self._threads)
                # Its models load at their first use, which has to happen while objects are allowed in the settings.
                blank = np.full((64, 64, 3), 255, np.uint8)
                engine(blank, use_det=True, use_cls=False, use_rec=False)
                engine.recognize_txt([blank])
            self._engine = engine
        return self._engine


def _session(path: Path, threads: int) -> Any:
    """Open an ONNX session whose idle threads sleep: spinning made a busy 2-core machine 2-5 times slower."""
    import onnxruntime

    if not path.is_file():
        raise WeightsMissing(f"the text reader's model {path.name} is missing; reinstall the package rapidocr")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _outer_rect(quad: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    """Upright box of a detected quadrilateral, clipped to the image."""
    x0, y0 = np.floor(quad.min(axis=0)).astype(int)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int)
    return max(int(x0), 0), max(int(y0), 0), min(int(x1), width), min(int(y1), height)


def _line(rect: tuple[int, int, int, int], text: str, score: float, words: Any) -> TextLine:
    """Turn CTC columns into pixels and drop the surrounding space RapidOCR sometimes returns."""
    columns: Iterable[int] = [column for word in (words.word_cols or []) for column in word] if words else []
    total = float(words.line_txt_len) if words and words.line_txt_len else 1.0
    width = rect[2] - rect[0]
    centres = tuple(rect[0] + min((column + 0.5) / total, 1.0) * width for column in columns)
    return TextLine(
        text=unicodedata.normalize("NFKC", text).strip() if _keeps_length(text) else text.strip(),
        bbox_xyxy_px=(float(rect[0]), float(rect[1]), float(rect[2]), float(rect[3])),
        score=float(score),
        char_x_px=centres,
    )


def _keeps_length(text: str) -> bool:
    """True if compatibility normalisation maps character to character, so that positions stay valid."""
    return len(unicodedata.normalize("NFKC", text)) == len(text)
