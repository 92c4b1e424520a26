"""Pictures with known regions, as the microscope and the grounding loaders see them: what is where, and what people call it.

Made from our drawings or from published annotations; a picture's pixels are read when they are needed. Knows no model.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models import drawings
from models.errors import BadEvaluation
from models.marks.for_model import fit_square
from models.regions import Regions
from models.sources.records import Fault, Record
from models.sources.regions import regions_of

Picture = NDArray[np.uint8]
Read = Callable[[Path], Picture]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words that mean one region of a picture, `region` being its index."""

    text: str
    region: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictured:
    """One picture; `names[i]` is what region i is, `phrases` are words that mean exactly one region. `read` gives (H, W, 3) RGB."""

    key: str
    read: Callable[[], Picture]
    regions: Regions
    names: tuple[str, ...]
    phrases: tuple[Phrase, ...]

    @property
    def ids(self) -> list[str]:
        """The marks of the regions: 1, 2, 3, ... in their order."""
        return [str(number) for number in range(1, len(self.regions) + 1)]


def of_drawings(seeds: Iterable[int]) -> Iterator[Pictured]:
    """Yield the drawn scenes of these seeds."""
    for seed in seeds:
        drawing = drawings.scene(seed)
        yield Pictured(
            key=f"scene-{seed}",
            read=partial(_itself, drawing.image),
            regions=drawing.regions,
            names=drawing.names,
            phrases=unique(drawing.names),
        )


def _itself(picture: Picture) -> Picture:
    return picture


def of_records(records: Iterable[Record | Fault], images: Path, read: Read, most: int = 99) -> Iterator[Pictured]:
    """Yield what annotation files say, one picture at a time; crowds, faults, and pictures of more than `most` objects are left out.

    Raises BadEvaluation where a picture's name leads out of the folder.
    """
    for record in records:
        if isinstance(record, Fault) or record.facts is None or record.image.file_name is None:
            continue
        crowds = {item.id for item in record.facts.objects if item.crowd}
        regions = regions_of(record.facts)
        regions = regions.take([i for i, name in enumerate(regions.ids) if name not in crowds])
        if not 0 < len(regions) <= most:
            continue
        names = tuple(text or "" for text in regions.texts)
        path = inside(images, record.image.file_name)
        # A model is asked about what it sees: labels of people must not reach it as texts of the marks.
        bare = Regions.from_rles(regions.size_hw, regions.rles, regions.boxes_xyxy_px, ids=regions.ids)
        yield Pictured(
            key=record.external_id,
            read=partial(read, path),
            regions=bare,
            names=names,
            phrases=unique(names),
        )


def unique(names: Iterable[str]) -> tuple[Phrase, ...]:
    """Return the names that only one region bears, as phrases."""
    listed = list(names)
    counts = Counter(name.casefold() for name in listed)
    return tuple(Phrase(text=name, region=i) for i, name in enumerate(listed) if name and counts[name.casefold()] == 1)


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file in a folder; raises BadEvaluation for a name that leads out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadEvaluation(f"the picture {name} lies outside of {folder}")
    return path


def region_in_square(regions: Regions, index: int, size_px: int) -> NDArray[np.bool_]:
    """Return (S, S) bool: a region where it lies on the square that a model of this input size sees."""
    frame = cv2.cvtColor(regions.mask(index).astype(np.uint8) * np.uint8(255), cv2.COLOR_GRAY2RGB)
    square: NDArray[np.bool_] = fit_square(np.asarray(frame, np.uint8), size_px)[0][..., 0] > 127
    return square
