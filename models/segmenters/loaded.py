"""What SAM and Semantic-SAM have in common around their networks: weights that load once, a version, masks that become regions.

Called by `sam.segmenter` and `semantic_sam.segmenter`. Knows neither network.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models import rle
from models.published import PIN
from models.regions import Regions
from models.segmenters.sums import sum_of

if TYPE_CHECKING:
    from models.segmenters.sam.embeddings import Embeddings
    from models.segmenters.sam.network import Embedding


class Encoder(Protocol):
    """A network that turns pictures into embeddings."""

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> "list[Embedding]":
        """Return the embeddings of pictures ((H, W, 3) uint8 RGB each)."""
        ...


_Network = TypeVar("_Network", bound=Encoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[_Network]):
    """A network with the embeddings of the last pictures."""

    network: _Network
    embeddings: "Embeddings"


class LoadedOnce(Generic[_Network]):
    """Weights load at the first request, and once."""

    def __init__(self, load: Callable[[], _Network]) -> None:
        """Nothing is loaded yet."""
        self._load = load
        self._lock = threading.Lock()
        self._loaded: Loaded[_Network] | None = None

    def get(self) -> Loaded[_Network]:
        """Return the network; raises what loading raises, and loads again at the next call then."""
        with self._lock:
            if self._loaded is None:
                from models.segmenters.sam.embeddings import Embeddings

                network = self._load()
                self._loaded = Loaded(network=network, embeddings=Embeddings(network.encode))
            return self._loaded


class Masks(Protocol):
    """What everything-mode found; read only."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """The frame of the masks."""
        ...

    @property
    def runs(self) -> tuple[rle.Runs, ...]:
        """One mask each."""
        ...

    @property
    def scores(self) -> NDArray[Any]:
        """(N,) predicted IoU."""
        ...


def version_of(given: str | None) -> str:
    """Return a segmenter's version, of its code and of the weights that `given` names or where they lie."""
    return "1+none" if given is None else f"1+{Path(given.partition(PIN)[0]).stem}-{sum_of(given)}"


def regions_of(found: Masks) -> Regions:
    """Return masks as regions on their frame; masks without a pixel are none."""
    some = [i for i, runs in enumerate(found.runs) if rle.area_of(runs)]
    size = [found.size_hw[0], found.size_hw[1]]
    return Regions.from_rles(
        found.size_hw,
        [{"size": size, "counts": counts} for counts in rle.write_many([found.runs[i] for i in some])],
        scores=np.clip(found.scores[some], 0, 1),
    )
