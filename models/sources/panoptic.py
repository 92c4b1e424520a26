"""COCO panoptic: one picture per image whose colours name segments; each becomes an object with its mask.

A pixel's id is R + 256 G + 65536 B, and 0 is nothing. Pictures lie in a folder beside the JSON that has its name.
Called by `coco`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import rle
from models.facts import ObjectFact
from models.sources.boxes import from_corner_and_size
from models.sources.categories import Categories, label_of
from models.sources.records import BrokenRecord, Decode
from models.sources.streaming import field


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Reads segment pictures. With `stuff_only`, things are left out because the instances bring them."""

    decode: Decode
    stuff_only: bool

    def objects(
        self,
        json_path: Path,
        annotations: Sequence[Any],
        categories: Categories,
        size_hw: tuple[int, int],
    ) -> list[ObjectFact]:
        """Return the segments of one image; raises BrokenRecord that names the picture or the segment."""
        found = []
        for annotation in annotations:
            name = str(field(annotation, "file_name"))
            ids = self._ids(json_path.with_suffix("") / _inside(name), name, size_hw)
            for segment in field(annotation, "segments_info"):
                label = label_of(segment, categories)
                if not (self.stuff_only and categories[segment["category_id"]].get("isthing", 1)):
                    found.append(_object(ids, segment, label, size_hw))
        return found

    def _ids(self, path: Path, name: str, size_hw: tuple[int, int]) -> NDArray[np.uint32]:
        try:
            pixels = self.decode(path.read_bytes())
        except OSError:
            raise BrokenRecord(f"the segment picture {name} is not in the folder {path.parent.name}") from None
        if pixels.shape[:2] != size_hw:
            raise BrokenRecord(f"the segment picture {name} has another size than the image")
        ids: NDArray[np.uint32] = pixels.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], np.uint32)
        return ids


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BrokenRecord("a segment picture's name must not lead out of its folder")
    return name


def _object(ids: NDArray[np.uint32], segment: Any, label: str, size_hw: tuple[int, int]) -> ObjectFact:
    number = field(segment, "id")
    mask = ids == int(number)
    if not mask.any():
        raise BrokenRecord(f"segment {number} has no pixel in its picture")
    counts = rle.write_counts(rle.encode(mask, (0, 0), size_hw))
    return ObjectFact(
        id=f"segment-{number}",
        label=label,
        bbox_xyxy_px=from_corner_and_size(field(segment, "bbox")),
        outline={"size": list(size_hw), "counts": counts},
        crowd=bool(segment.get("iscrowd")),
    )
