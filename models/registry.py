"""The only place where a name becomes a model object. Workers and the command line ask here.

Objects are made at the first request and kept: they hold loaded weights. Importing this module loads no model library.
"""

import importlib
import threading

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.protocols import Segmenter, SegmentRequest

AUTO = "auto"

_SEGMENTERS = {
    "gui": ("models.segmenters.fused", "FusedGuiSegmenter"),
    "regions": ("models.segmenters.regions", "RegionsSegmenter"),
    "provided": ("models.segmenters.provided", "ProvidedSegmenter"),
    "fake": ("models.segmenters.fake", "FakeSegmenter"),
}

_loaded: dict[str, Segmenter] = {}
_lock = threading.Lock()


def segmenter_names() -> tuple[str, ...]:
    """Names that `segmenter` knows, `auto` not among them: it stands for one of them per image."""
    return tuple(_SEGMENTERS)


def segmenter(name: str) -> Segmenter:
    """Return the segmenter of that name, the same object every time; raises BadInput for an unknown name.

    `auto` is no segmenter: resolve it with `choose_segmenter` first.
    """
    if name not in _SEGMENTERS:
        raise BadInput(f'unknown segmenter "{name}"; known are {AUTO}, {", ".join(_SEGMENTERS)}')
    with _lock:
        if name not in _loaded:
            module, attribute = _SEGMENTERS[name]
            made: Segmenter = getattr(importlib.import_module(module), attribute)()
            _loaded[name] = made
        return _loaded[name]


def choose_segmenter(name: str, image: NDArray[np.uint8], request: SegmentRequest) -> str:
    """Resolve `auto` to a concrete name: what the caller states wins, then what `image` ((H, W, 3) uint8) looks like."""
    if name != AUTO:
        return name
    if request.provided or request.complete is not None:
        return "provided"
    from models.segmenters.choose import choose, choose_with_tree

    return choose(image) if request.accessibility_tree is None else choose_with_tree(image, request)
