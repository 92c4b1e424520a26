"""Finds interface elements on a screenshot with the shipped ONNX detector: boxes, scores, roles; it reads no text.

Used by `models.segmenters.gui`. The network is trained by `models.detector` on pages of `models.pages`; what its outputs
mean is stated in the file's own metadata (roles, strides, threshold), so this module knows no training code.
Needs numpy, cv2 and one engine of `models.segmenters.networks`, opened at the first image; threads may share a detector.
"""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BadImage, WeightsMissing
from models.segmenters.networks import Network, engine_name, open_network

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "gui-detector" / "detector.onnx"

_PAD = 32  # the network halves its input five times
_MAX_WIDTH_PX = (
    2000  # wider frames without a known pixel ratio are taken for dense screens and shrunk to _WORK_WIDTH_PX
)
_WORK_WIDTH_PX = 1600
_STRIP_PX = 1536  # taller frames are read in strips: memory stays bounded on full-page screenshots
_OVERLAP_PX = 192
_MAX_CANDIDATES = 1200
_GREY = 114


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """N elements, best score first: boxes in pixels of the given image (half-open), scores in (0, 1), role names."""

    boxes_xyxy_px: NDArray[np.float32]  # (N, 4)
    scores: NDArray[np.float32]  # (N,)
    roles: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of elements."""
        return len(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    runs: Network
    roles: tuple[str, ...]
    strides: tuple[int, ...]
    threshold: float


class ElementDetector:
    """Detects controls on screenshots; deterministic for one weights file and one engine."""

    def __init__(
        self, weights: Path | None = None, *, threads: int = 2, engine: str | None = None, nms_iou: float = 0.35
    ) -> None:
        """Use the ONNX file at `weights` (default: the shipped one) on `threads` CPU threads; nothing is loaded yet.

        `engine` is "openvino" or "onnxruntime", by default the first that is installed. Of two boxes that overlap by more than `nms_iou` the one with the lower score is dropped.
        """
        self._path = weights or WEIGHTS
        self._threads = threads
        self._engine = engine or engine_name()
        self._nms_iou = nms_iou
        self._network: _Network | None = None
        self._lock = threading.Lock()

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the roles the network tells apart; raises WeightsMissing as `detect` does."""
        return self._load().roles

    @property
    def threshold(self) -> float:
        """Lowest score that `detect` keeps by default."""
        return self._load().threshold

    def detect(
        self, image: NDArray[np.uint8], device_pixel_ratio: float = 1.0, *, threshold: float | None = None
    ) -> Detections:
        """Return the elements of `image` ((H, W, 3) uint8 RGB), best first.

        `device_pixel_ratio` is the screenshot's pixels per CSS pixel, 1.0 when unknown; it only sets the working scale.
        `threshold` is the lowest score kept, by default the one the weights were calibrated to.
        Raises BadImage for another shape or dtype, WeightsMissing when the file is not there.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape) < 1:
            raise BadImage(f"the detector needs (H, W, 3) uint8; got {image.shape} {image.dtype}")
        network = self._load()
        lowest = network.threshold if threshold is None else threshold
        scale = _working_scale(int(image.shape[1]), device_pixel_ratio)
        work = image if scale == 1.0 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        with self._lock:
            found = [
                _shifted(_read(network, work[top:bottom], lowest), top, bottom, work.shape[0])
                for top, bottom in _strips(int(work.shape[0]))
            ]
        boxes, scores, roles = (np.concatenate(parts) for parts in zip(*found, strict=True))
        factors = np.array([image.shape[1] / work.shape[1], image.shape[0] / work.shape[0]] * 2, np.float32)
        limits = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
        boxes = np.clip(boxes * factors, 0, limits).astype(np.float32)
        solid = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(1)
        boxes, scores, roles = boxes[solid], scores[solid], roles[solid]
        kept = suppress(boxes, scores, self._nms_iou)
        return Detections(
            boxes_xyxy_px=boxes[kept], scores=scores[kept], roles=tuple(network.roles[role] for role in roles[kept])
        )

    def _load(self) -> _Network:
        with self._lock:
            if self._network is None:
                self._network = _open(self._path, self._threads, self._engine)
            return self._network


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], iou: float) -> NDArray[np.int64]:
    """Return the indices of `boxes` (N, 4) that greedy non-maximum suppression keeps, best score first."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low, high = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        order = rest[shared <= iou * (area[best] + area[rest] - shared)]
    return np.array(kept, np.int64)


def decode(
    maps: list[NDArray[np.float32]], strides: tuple[int, ...], lowest: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Turn the network's maps, one (1, 5 + roles, h, w) per stride, into boxes (N, 4), scores (N,), role indices (N,).

    Channels are: log-odds that the cell belongs to an element; log distances to its left, top, right and bottom edge in
    strides, from the cell's centre; log-odds of each role. At most 1,200 cells are kept, the best first.
    """
    logit = float(np.log(lowest / (1 - lowest)))
    boxes, scores, roles = [], [], []
    for level, stride in zip(maps, strides, strict=True):
        y, x = np.nonzero(level[0, 0] > logit)
        cells = level[0][:, y, x].astype(np.float32)
        reach = np.exp(np.clip(cells[1:5], -6, 8)) * stride
        centre_x, centre_y = (x + 0.5) * stride, (y + 0.5) * stride
        edges = [centre_x - reach[0], centre_y - reach[1], centre_x + reach[2], centre_y + reach[3]]
        boxes.append(np.stack(edges, 1).astype(np.float32))
        scores.append((1 / (1 + np.exp(-cells[0]))).astype(np.float32))
        roles.append(cells[5:].argmax(0).astype(np.int64))
    best = np.argsort(-np.concatenate(scores), kind="stable")[:_MAX_CANDIDATES]
    return np.concatenate(boxes)[best], np.concatenate(scores)[best], np.concatenate(roles)[best]


def _open(path: Path, threads: int, engine: str) -> _Network:
    if not path.is_file():
        raise WeightsMissing(f"the element detector's weights are not at {path.name}; see its RECIPE.md")
    network = open_network(path, threads, engine, lanes=1)
    return _Network(
        runs=network,
        roles=tuple(json.loads(network.metadata["roles"])),
        strides=tuple(json.loads(network.metadata["strides"])),
        threshold=float(network.metadata["threshold"]),
    )


def _working_scale(width: int, device_pixel_ratio: float) -> float:
    """Scale to about one CSS pixel per pixel, where small controls look as they do in training."""
    if device_pixel_ratio > 1.0:
        return 1.0 / device_pixel_ratio
    return _WORK_WIDTH_PX / width if width > _MAX_WIDTH_PX else 1.0


def _strips(height: int) -> list[tuple[int, int]]:
    if height <= _STRIP_PX:
        return [(0, height)]
    step = _STRIP_PX - _OVERLAP_PX
    count = -(-(height - _OVERLAP_PX) // step)
    return [(i * step, min(height, i * step + _STRIP_PX)) for i in range(count)]


def _read(
    network: _Network, strip: NDArray[np.uint8], lowest: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    height, width = strip.shape[:2]
    padded = cv2.copyMakeBorder(
        strip, 0, -height % _PAD, 0, -width % _PAD, cv2.BORDER_CONSTANT, value=(_GREY, _GREY, _GREY)
    )
    return decode(network.runs.answer(padded[None]), network.strides, lowest)


def _shifted(
    found: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]], top: int, bottom: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Move boxes of a strip to the frame; those whose centre another strip sees from further inside are left to it."""
    boxes, scores, roles = found
    middle = (boxes[:, 1] + boxes[:, 3]) / 2 + top
    half = _OVERLAP_PX / 2
    own = (middle >= (top + half if top else -np.inf)) & (middle < (bottom - half if bottom < height else np.inf))
    return boxes[own] + np.array([0, top, 0, top], np.float32), scores[own], roles[own]
