"""Marked pictures in memory: the right one, read-only, and never more than fits."""

from uuid import UUID, uuid4

import numpy as np
import pytest

from app.catalog.tables import ImageRow, MarkSetRow
from app.imaging.encode import encode
from app.services.pictures import MarkedPictures

SIZE = (20, 30)
BYTES = 2 * 20 * 30 * 3


class Blobs(dict):
    """Blobs by key; `get` counts itself."""

    reads = 0

    def get(self, key: str, *, sha256: str | None = None) -> bytes:
        self.reads += 1
        return self[key]


def stored(blobs: Blobs, shade: int) -> tuple[MarkSetRow, ImageRow]:
    key = str(uuid4())
    blobs[f"{key}/image"] = encode(np.full((*SIZE, 3), shade, np.uint8))
    blobs[f"{key}/overlay"] = encode(np.full((*SIZE, 3), shade + 1, np.uint8))
    image = ImageRow(id=uuid4(), height=SIZE[0], width=SIZE[1], blob_key=f"{key}/image", sha256="x")
    row = MarkSetRow(
        id=uuid4(),
        image_id=image.id,
        overlay_blob_key=f"{key}/overlay",
        settings={"style": "markwise"},
        omitted_regions=0,
    )
    return row, image


def test_a_kept_picture_is_read_once_and_cannot_be_written() -> None:
    blobs = Blobs()
    pictures = MarkedPictures(blobs)
    row, image = stored(blobs, 7)
    assert pictures.find(row.id) is None
    loaded = pictures.load(row, [], image)
    assert pictures.find(row.id) is loaded
    assert blobs.reads == 2
    assert (loaded.image[0, 0, 0], loaded.overlay[0, 0, 0]) == (7, 8)
    with pytest.raises(ValueError, match="read-only"):
        loaded.overlay[0, 0] = 0


def test_the_least_recently_asked_goes_first() -> None:
    blobs = Blobs()
    pictures = MarkedPictures(blobs, max_bytes=3 * BYTES)
    ids: list[UUID] = []
    for shade in range(3):
        row, image = stored(blobs, shade)
        pictures.load(row, [], image)
        ids.append(row.id)
    pictures.find(ids[0])
    row, image = stored(blobs, 9)
    pictures.load(row, [], image)
    assert [pictures.find(one) is not None for one in [*ids, row.id]] == [True, False, True, True]


def test_what_does_not_fit_is_not_kept() -> None:
    blobs = Blobs()
    pictures = MarkedPictures(blobs, max_bytes=BYTES - 1)
    row, image = stored(blobs, 1)
    assert pictures.load(row, [], image).image.shape == (*SIZE, 3)
    assert pictures.find(row.id) is None


def test_loading_twice_counts_once() -> None:
    blobs = Blobs()
    pictures = MarkedPictures(blobs, max_bytes=2 * BYTES)
    row, image = stored(blobs, 1)
    other, other_image = stored(blobs, 2)
    for _ in range(5):
        pictures.load(row, [], image)
    pictures.load(other, [], other_image)
    assert pictures.find(row.id) is not None
