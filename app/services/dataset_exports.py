"""A dataset in the formats of trainers, in pieces: what can go wrong is found before the first piece leaves.

Holds one page of items and one picture at a time, whatever the size. Called by the export route.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.catalog.datasets import DatasetRepository
from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository, regions_of
from app.catalog.tables import DatasetItemRow, DatasetRow
from app.errors import Unprocessable
from app.formats.dataset_coco import MarkedPicture, coco_text
from app.formats.llava import image_file, jsonl_lines, llava_text
from app.formats.webdataset import tar_pieces
from app.services.dataset_items import PictureFolders, Transaction, items_of, picture_bytes, stages_of
from app.services.import_folder import ImportFolder
from app.storage.blobs import BlobStore
from models.evaluation.listing import parse_listing

Format = Literal["llava", "jsonl", "coco", "webdataset"]
MEDIA_TYPES: dict[str, str] = {
    "llava": "application/json",
    "jsonl": "application/jsonl",
    "coco": "application/json",
    "webdataset": "application/x-tar",
}
EXTENSIONS: dict[str, str] = {"llava": "json", "jsonl": "jsonl", "coco": "json", "webdataset": "tar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One dataset or one stage of it, or one of `shards` equal slices of either."""

    transaction: Transaction
    blobs: BlobStore
    folder: ImportFolder
    dataset: DatasetRow
    stage: str | None = None
    shard: int = 0
    shards: int = 1

    def pieces(self, format: Format) -> Iterator[str] | Iterator[bytes]:
        """Return the file in pieces; raises Unprocessable where the format cannot hold this dataset."""
        match format:
            case "llava":
                return llava_text(self._items())
            case "jsonl":
                return jsonl_lines(self._items())
            case "coco":
                return coco_text(self._marked)
            case "webdataset":
                return tar_pieces(self._items(), self._picture)

    def check(self, format: Format) -> None:
        """Raise Unprocessable where the export would break off in the middle."""
        known = stages_of(self.dataset)
        if self.stage is not None and self.stage not in known:
            raise Unprocessable(f"This dataset has no stage `{self.stage}`; its stages are {', '.join(known)}.")
        if not 0 <= self.shard < self.shards:
            raise Unprocessable("`shard` counts from 0 and is smaller than `shards`.")
        if format == "coco" and not self.dataset.statistics.get("tagged"):
            raise Unprocessable(
                "COCO holds marked pictures, and this dataset has none; take llava, jsonl or webdataset."
            )
        if format == "coco" and self.shards > 1:
            raise Unprocessable("COCO is one document; take jsonl or webdataset for shards.")
        missing = PictureFolders(self.dataset.recipe, self.folder).missing()
        if format == "webdataset" and missing:
            with self.transaction() as session:
                part = DatasetRepository(session).part_with_pictures(self.dataset.id, missing)
            if part is not None:
                raise Unprocessable(
                    f"WebDataset holds the pictures, and the recipe names no `images` for the part `{part}`."
                )

    def file_name(self, format: Format) -> str:
        """How the file is called where it is saved."""
        stage = "" if self.stage is None else f"-{self.stage}"
        number = f"-{self.shard:05d}-of-{self.shards:05d}" if self.shards > 1 else ""
        return f"{self.dataset.name}-v{self.dataset.version}{stage}{number}.{EXTENSIONS[format]}"

    def _items(self) -> Iterator[DatasetItemRow]:
        whole = range(int(self.dataset.statistics["texts"]))
        inside = whole if self.stage is None else stages_of(self.dataset)[self.stage]
        first, before = (inside.start + len(inside) * edge // self.shards for edge in (self.shard, self.shard + 1))
        return items_of(self.transaction, self.dataset.id, first=first, before=before)

    def _picture(self, item: DatasetItemRow) -> bytes | None:
        return picture_bytes(self.transaction, self.blobs, PictureFolders(self.dataset.recipe, self.folder), item)

    def _marked(self) -> Iterator[MarkedPicture]:
        """Every marked picture once, at its first text."""
        seen: set[UUID] = set()
        for item in self._items():
            if item.mark_set_id is None or item.mark_set_id in seen:
                continue
            seen.add(item.mark_set_id)
            with self.transaction() as session:
                mark_sets = MarkSetRepository(session)
                row = mark_sets.get(item.mark_set_id)
                marks = mark_sets.marks(row.id)
                image = ImageRepository(session).get(row.image_id)
            listing = item.conversations[-1]["value"] if item.kind == "listing" else ""
            yield MarkedPicture(
                file_name=image_file(image.id, None),
                regions=regions_of((image.height, image.width), marks),
                marks=tuple(mark.mark for mark in marks),
                names=parse_listing(listing),
            )


def export_of(transaction: Transaction, dataset_id: UUID) -> DatasetRow:
    """Return the dataset to export; raises NotFound."""
    with transaction() as session:
        return DatasetRepository(session).get(dataset_id)
