"""The items of a dataset and their pictures, a page at a time, for exports and for the trainer.

No transaction stays open between pages: a sealed dataset cannot change, so pages that are read one after the other belong
together.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.datasets import DatasetRepository
from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.tables import DatasetItemRow, DatasetRow
from app.errors import Unprocessable
from app.formats.llava import cut_of
from app.imaging.encode import cut_out
from app.services.import_folder import ImportFolder
from app.storage.blobs import BlobStore

Transaction = Callable[[], AbstractContextManager[Session]]


def items_of(
    transaction: Transaction, dataset_id: UUID, *, first: int = 0, before: int | None = None
) -> Iterator[DatasetItemRow]:
    """Yield the items at positions from `first` to in front of `before`, in order."""
    after = first - 1
    while True:
        with transaction() as session:
            rows = DatasetRepository(session).items_after(dataset_id, after, before=before)
        if not rows:
            return
        yield from rows
        after = rows[-1].position


def stages_of(dataset: DatasetRow) -> dict[str, range]:
    """The positions of each stage, in the order in which a trainer has to take them: shuffling must not cross their ends."""
    total = int(dataset.statistics["texts"])
    sizes = {
        name: sum(parts.values()) for name, parts in dataset.statistics.get("stages", {"all": {"": total}}).items()
    }
    ends = list(accumulate(sizes.values()))
    return {name: range(end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}


class PictureFolders:
    """Pictures of the parts of a recipe that come from files."""

    def __init__(self, recipe: Mapping[str, Any], folder: ImportFolder) -> None:
        """`recipe` is what the dataset shows."""
        parts = recipe.get("parts") or []
        self._names = {part["name"]: part.get("images") for part in parts if part.get("file")}
        self._folder = folder

    def missing(self) -> list[str]:
        """The parts from files that have no folder of pictures."""
        return [name for name, images in self._names.items() if images is None]

    def read(self, item: DatasetItemRow) -> bytes:
        """Return the picture of an item of a file; raises Unprocessable where the recipe names no folder, or it is gone."""
        images = self._names.get(item.part)
        if images is None:
            raise Unprocessable(
                f"The pictures of the part `{item.part}` are not here: name their folder as `images` in the recipe."
            )
        root = self._folder.find(images).resolve()
        path = (root / str(item.image)).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise Unprocessable(f"The picture `{item.image}` is no longer in the folder `{images}`.")
        return path.read_bytes()


def stored_picture(session: Session, item: DatasetItemRow) -> str | None:
    """The blob of an item's picture, as its overlay or its plain copy; None for one that the catalog does not have."""
    if item.mark_set_id is not None:
        return MarkSetRepository(session).get(item.mark_set_id).overlay_blob_key
    return None if item.image_id is None else ImageRepository(session).get(item.image_id).blob_key


def picture_bytes(
    transaction: Transaction, blobs: BlobStore, folders: PictureFolders, item: DatasetItemRow
) -> bytes | None:
    """The encoded picture of an item, None for text alone; raises Unprocessable, BlobMissing."""
    if item.image is None:
        return None
    with transaction() as session:
        key = stored_picture(session, item)
    if key is None:
        return folders.read(item)
    part = None if item.image_id is None else cut_of(item.image)
    return blobs.get(key) if part is None else cut_out(blobs.get(key), part)
