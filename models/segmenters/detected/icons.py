"""Names the icons of buttons that bear no text, by a small network that was taught on icons of our own drawing (`models.icons`).

Used by `models.segmenters.detected.finder`. Needs numpy and one engine of `models.segmenters.networks`, opened at the first icon.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.ranking.icon_names import SPOKEN
from models.segmenters.detected.ink import Ink, ink_of
from models.segmenters.networks import Network, open_network
from models.segmenters.ocr import Box

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "icon-names" / "icons.onnx"
SURE = 0.6
"""Least share at which a name is given: on held-out drawn icons 99 of 100 of these are right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An icon's name, a key of `models.ranking.icon_names.SPOKEN`, and how sure (0-1) it is."""

    name: str
    share: float


class IconNamer:
    """Names icons; deterministic for one weights file and one engine. Threads may share it."""

    def __init__(self, weights: Path | None = None, *, threads: int = 1) -> None:
        """Use the ONNX file at `weights` (default: the shipped one); nothing is loaded yet."""
        self._path, self._threads = weights or WEIGHTS, threads
        self._network: tuple[Network, tuple[str, ...]] | None = None
        self._lock = threading.Lock()

    def name(self, image: NDArray[np.uint8], boxes: Sequence[Box]) -> list[Named | None]:
        """Return what is drawn in each of `boxes` of `image` ((H, W, 3) RGB), None where it is no icon that is known.

        Raises WeightsMissing where there are no weights.
        """
        if not self._path.is_file():
            return [None] * len(boxes)
        return [self._best(ink_of(image, box)) for box in boxes]

    def _best(self, inks: Sequence[Ink]) -> Named | None:
        found = [named for ink in inks if (named := self._named(ink)) is not None]
        return max(found, key=lambda named: named.share, default=None)

    def _named(self, ink: Ink) -> Named | None:
        with self._lock:
            network, labels = self._load()
            odds = network.answer(ink[None, None])[0][0]
        shares = np.exp(odds - odds.max())
        best = int(shares.argmax())
        share = float(shares[best] / shares.sum())
        return Named(name=labels[best], share=share) if share >= SURE and labels[best] in SPOKEN else None

    def _load(self) -> tuple[Network, tuple[str, ...]]:
        if self._network is None:
            network = open_network(self._path, self._threads, lanes=1)
            self._network = network, tuple(json.loads(network.metadata["labels"]))
        return self._network
