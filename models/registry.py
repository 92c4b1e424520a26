"""The only place where a name becomes a model object. Workers and the command line ask here.

Objects are made at the first request and kept: they hold loaded weights. Importing this module loads no model library.
What the operator installed is handed over once by `install`: weights, and segmenters of his own. Without it, segmenters with
weights say what they need.
"""

import importlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput, NotYet
from models.protocols import LineReader, Segmenter, SegmentRequest
from models.segmenters.installed import Installed
from models.segmenters.sums import sum_of

AUTO = "auto"
_SHIPPED = Path(__file__).parent / "weights" / "gui-detector"

_SEGMENTERS = {
    "gui": ("models.segmenters.fused", "FusedGuiSegmenter"),
    "regions": ("models.segmenters.regions", "RegionsSegmenter"),
    "provided": ("models.segmenters.provided", "ProvidedSegmenter"),
    "fake": ("models.segmenters.fake", "FakeSegmenter"),
}
# These need weights, and get what is installed.
_WITH_WEIGHTS = {
    "sam": ("models.segmenters.sam.published", "SamSegmenter"),
    "sam2": ("models.segmenters.sam.sam2", "Sam2Segmenter"),
    "sam-hq": ("models.segmenters.sam.sam_hq", "SamHqSegmenter"),
    "semantic-sam": ("models.segmenters.semantic_sam.segmenter", "SemanticSamSegmenter"),
    "mask2former": ("models.segmenters.panoptic.mask2former", "Mask2FormerSegmenter"),
    "oneformer": ("models.segmenters.panoptic.oneformer", "OneFormerSegmenter"),
}
# Names from the papers that people will ask for, and what here comes closest.
_NOT_YET = {
    "seem": "`mask2former` or `oneformer` is the closest: panoptic regions, without SEEM's text prompts",
    "maskdino": "`mask2former` is the closest: the same family, panoptic regions",
}

_installed = Installed()
_loaded: dict[str, Segmenter] = {}
_lock = threading.Lock()


def install(installed: Installed) -> None:
    """Say what there is, before the first request; segmenters that hold other weights or are gone are let go.

    Raises BadInput for an outside segmenter that takes a name of ours.
    """
    global _installed  # noqa: PLW0603 - one process, one installation
    taken = {AUTO, *_SEGMENTERS, *_WITH_WEIGHTS, *_NOT_YET} & set(installed.outside)
    if taken:
        raise BadInput(
            f"MARKWISE_SEGMENTERS names {', '.join(sorted(taken))}, which Markwise has itself; take another name"
        )
    with _lock:
        for name in (*_WITH_WEIGHTS, *_installed.outside):
            _loaded.pop(name, None)
        _installed = installed


def weighted_names() -> tuple[str, ...]:
    """Names of the segmenters that need weights."""
    return tuple(_WITH_WEIGHTS)


def weights_of(name: str) -> str | None:
    """Return a short sum of the weights that a segmenter goes by, None for one without; loads nothing.

    Marks that are kept are told apart by it. `auto` may come to mean `gui`, and `provided` asks `sam` about points and strokes.
    """
    if name in (AUTO, "gui"):
        return sum_of(_SHIPPED)
    if name in _installed.outside:
        return _sum_of_module(_installed.outside[name].partition(":")[0])
    given = _installed.weights.get("sam" if name == "provided" else name)
    return None if given is None else sum_of(given)


def _sum_of_module(module: str) -> str:
    """The sum of the file that holds a module's code, so that marks of the code before a change are not taken for its own."""
    try:
        found = importlib.util.find_spec(module)
    except ImportError:
        found = None
    return sum_of(module if found is None or found.origin is None else found.origin)


def not_yet(name: str) -> str | None:
    """Return what to say about a known segmenter that is not here yet, None about any other name."""
    closest = _NOT_YET.get(name)
    return None if closest is None else f"The segmenter `{name}` is not available yet; {closest}."


def segmenter_names() -> tuple[str, ...]:
    """Names that `segmenter` knows, `auto` not among them: it stands for one of them per image."""
    return (*_SEGMENTERS, *_WITH_WEIGHTS, *_installed.outside)


def offered_names() -> tuple[str, ...]:
    """Names that a request may give: `auto` and all of `segmenter_names` but the one of tests and dry runs."""
    return (AUTO, *(name for name in segmenter_names() if name != "fake"))


def segmenter(name: str) -> Segmenter:
    """Return the segmenter of that name, the same object every time; raises NotYet or BadInput for a name that is none.

    `auto` is no segmenter: resolve it with `choose_segmenter` first.
    """
    sentence = not_yet(name)
    if sentence is not None:
        raise NotYet(sentence)
    if name not in segmenter_names():
        raise BadInput(f'unknown segmenter "{name}"; known are {", ".join(offered_names())}')
    with _lock:
        if name not in _loaded:
            weighted = name in _WITH_WEIGHTS
            kind = _class_of(name)
            made: Segmenter = kind(_installed) if weighted else kind()
            _loaded[name] = made
        return _loaded[name]


def _class_of(name: str) -> Any:
    if name not in _installed.outside:
        module, attribute = (_SEGMENTERS | _WITH_WEIGHTS)[name]
        return getattr(importlib.import_module(module), attribute)
    module, _, attribute = _installed.outside[name].partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as exc:
        raise BadInput(
            f"MARKWISE_SEGMENTERS: {module}:{attribute} cannot be imported ({exc}); is it on PYTHONPATH?"
        ) from exc
    if getattr(kind, "name", None) != name or not hasattr(kind, "segment"):
        raise BadInput(f"MARKWISE_SEGMENTERS: {module}:{attribute} needs `name = {name!r}` and a method `segment`")
    return kind


def read_lines(
    image: NDArray[np.uint8], device_pixel_ratio: float = 1.0
) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Return every line of text on `image` ((H, W, 3) uint8 RGB) with its box in pixels, by the reader of `gui`."""
    reader = segmenter("gui")
    return reader.read_lines(image, device_pixel_ratio) if isinstance(reader, LineReader) else []


def choose_segmenter(name: str, image: NDArray[np.uint8], request: SegmentRequest) -> str:
    """Resolve `auto` to a concrete name: what the caller states wins, then what `image` ((H, W, 3) uint8) looks like."""
    if name != AUTO:
        return name
    if request.provided or request.complete is not None:
        return "provided"
    from models.segmenters.choose import choose, choose_with_tree

    return choose(image) if request.accessibility_tree is None else choose_with_tree(image, request)
