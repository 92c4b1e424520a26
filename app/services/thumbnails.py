"""Small copies of images and marked pictures for lists: made when first asked for, kept beside the picture, gone with it.

Called by the route; a worker knows nothing of them. What is stored is ours: no byte that somebody sent is opened here.
"""

from collections.abc import Iterable
from typing import Literal, get_args
from uuid import UUID

from app.catalog.tables import ImageRow, MarkSetRow
from app.imaging.encode import Encoding, encode, fitted, read_canonical
from app.storage.blobs import BlobCorrupt, BlobMissing, BlobStore, thumbnail_key

Side = Literal["160", "320", "640"]
"""Long sides in pixels, as a query says them. Few, so that nobody can fill the store with sizes."""
SIDES_PX = tuple(int(side) for side in get_args(Side))
ENCODING = Encoding.WEBP


def of_image(blobs: BlobStore, row: ImageRow, side_px: int) -> bytes:
    """Return an image as WebP with its long side at most `side_px`, one of SIDES_PX; raises BlobError."""
    return _small(blobs, row.blob_key, thumbnail_key(str(row.tenant_id), row.sha256, side_px), side_px)


def of_mark_set(blobs: BlobStore, row: MarkSetRow, side_px: int) -> bytes:
    """Return a marked picture in the same way."""
    return _small(blobs, row.overlay_blob_key, thumbnail_key(str(row.tenant_id), str(row.id), side_px), side_px)


def keys_of(image: ImageRow, mark_set_ids: Iterable[UUID]) -> list[str]:
    """Where the small copies of an image and its marked pictures lie, if they have been made."""
    names = [image.sha256, *map(str, mark_set_ids)]
    return [thumbnail_key(str(image.tenant_id), name, side) for name in names for side in SIDES_PX]


def _small(blobs: BlobStore, source: str, key: str, side_px: int) -> bytes:
    try:
        return blobs.get(key)
    except BlobCorrupt:
        blobs.delete(key)
    except BlobMissing:
        pass
    made = encode(fitted(read_canonical(blobs.get(source)), side_px), ENCODING)
    blobs.put_if_absent(key, made)
    return made
