"""The pictures that the microscope's commands measure on: held-out drawings, or files that people annotated.

Pictures are decoded as carefully as uploads, when their turn comes. Knows no measurement.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from numpy.typing import NDArray

from app.imaging.decode import ImageDecoder
from app.imaging.errors import ImagingError
from models.drawings import HELD_OUT_SEEDS
from models.errors import BadImage
from models.evaluation.pictured import Pictured, of_drawings, of_records
from models.sources.formats import open_source
from models.sources.records import Tools

DEFAULT_DRAWINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which pictures: so many drawings, or a COCO file of `instances` with its folder of `images`, at most `limit` of them."""

    drawings: int | None
    instances: Path | None
    images: Path | None
    limit: int | None

    def __post_init__(self) -> None:
        """Check that the options fit together; raises a usage error."""
        if (self.instances is None) != (self.images is None):
            raise click.UsageError("--instances and --images belong together")
        if self.instances is not None and self.drawings is not None:
            raise click.UsageError("give --drawings or --instances, not both")

    @contextmanager
    def open(self) -> Iterator[tuple[Iterator[Pictured], int]]:
        """Give the pictures and how many there may be; raises BadInput where the file cannot be read."""
        if self.instances is None or self.images is None:
            count = self.drawings or DEFAULT_DRAWINGS
            yield of_drawings(HELD_OUT_SEEDS[:count]), count
            return
        with TemporaryDirectory() as scratch, ImageDecoder() as decoder:
            decode = decoding(decoder)
            reading = open_source("coco", [self.instances], Tools(scratch=Path(scratch), decode=decode))
            pictures = of_records(reading.records(), self.images, lambda path: decode(bytes_of(path)))
            count = min(self.limit or reading.total, reading.total)
            yield islice(pictures, count), count


def decoding(decoder: ImageDecoder) -> Callable[[bytes], NDArray[np.uint8]]:
    """Return a function from the bytes of a picture to (H, W, 3) RGB; what it raises is a BadImage in our words."""

    def decode(data: bytes) -> NDArray[np.uint8]:
        try:
            return decoder.decode_pixels(data).image
        except ImagingError as exc:
            raise BadImage(exc.detail) from None

    return decode


def bytes_of(path: Path) -> bytes:
    """Read a file; raises BadImage."""
    try:
        return path.read_bytes()
    except OSError:
        raise BadImage(f"{path} cannot be read") from None
