"""One record of a source -> its image behind the door, and the effect that writes what is known of it.

Called by `importing` from several threads: `ready` does the slow part with no transaction open, the effect it returns
runs inside the batch's. What is wrong with a record becomes an error that names it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.image_facts import ImageFactsRepository, StatedFacts
from app.catalog.images import ImageRepository
from app.catalog.tables import ImageRow
from app.errors import AppError, Unavailable
from app.queue.tasks import error_body
from app.services.images import ImageDoor
from app.services.import_folder import Pictures
from app.storage.blobs import StoreUnavailable
from models.errors import ModelError
from models.facts import ImageFacts
from models.sources.records import BrokenRecord, Record
from models.sources.sizing import in_pixels
from workers.batches import Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A record of which everything slow is done."""

    number: int
    effect: Callable[[Session], Ended]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How the records of one job are taken in. `pictures` is None where pictures come by URL."""

    job_id: UUID
    tenant_id: UUID
    door: ImageDoor
    pictures: Pictures | None
    source: str
    labels: tuple[str, ...]

    def ready(self, number: int, record: Record) -> Ready:
        """Let the picture in and prepare the rest; only a dead dependency raises."""
        try:
            image, new = self._image(record)
            facts = _facts(record, image)
        except StoreUnavailable:
            raise Unavailable("The store of pictures does not answer.") from None
        except Unavailable:
            raise
        except (ModelError, AppError, OSError) as error:
            return refused(number, record.external_id, _words(error))
        return Ready(number=number, effect=partial(self._write, number, record, image, new, facts))

    def _image(self, record: Record) -> tuple[ImageRow, bool]:
        reference = record.image
        if reference.path is not None:
            return self.door.from_bytes(self.tenant_id, reference.path.read_bytes(), [], source="import")
        if self.pictures is not None and reference.file_name is not None:
            found = self.pictures.read(reference.file_name)
            if found is not None:
                return self.door.from_bytes(self.tenant_id, found, [], source="import")
        if reference.url is not None:
            return self.door.from_url(self.tenant_id, reference.url, [])
        if reference.file_name is None:
            raise BrokenRecord("the record names no picture")
        where = "no folder of images was given" if self.pictures is None else "it is not in the folder of images"
        raise BrokenRecord(f"the picture {reference.file_name} cannot be found: {where}, and the record has no URL")

    def _write(
        self, number: int, record: Record, image: ImageRow, new: bool, facts: ImageFacts | None, session: Session
    ) -> Ended:
        changed = new
        if facts is not None:
            stated = StatedFacts(image_id=image.id, source=self.source, external_id=record.external_id, facts=facts)
            try:
                changed |= ImageFactsRepository(session).add_or_fill(stated)
            except (ModelError, AppError) as error:
                return Ended(error=_error(record.external_id, _words(error)))
        # Only now: an image whose record cannot be used must not be found by the source's label.
        ImageRepository(session).add_labels(image.id, list(self.labels))
        return Ended(result={"outcome": "added" if changed else "known", "image_id": str(image.id)})


def refused(number: int, external_id: str, detail: str) -> Ready:
    """A record that cannot be taken."""
    return Ready(number=number, effect=lambda _: Ended(error=_error(external_id, detail)))


def _facts(record: Record, image: ImageRow) -> ImageFacts | None:
    size_hw = (image.height, image.width)
    if record.facts is None:
        return ImageFacts(size_hw=size_hw) if record.conversations else None
    facts = in_pixels(record.facts, size_hw) if record.fractions else record.facts
    if facts.size_hw != size_hw:
        height, width = facts.size_hw
        raise BrokenRecord(f"its source says {width} x {height} pixels, the picture has {image.width} x {image.height}")
    return facts


def _words(error: Exception) -> str:
    """Our own words for what went wrong; another library's text never leaves."""
    if isinstance(error, AppError):
        return error.detail
    return str(error) if isinstance(error, ModelError) else "its picture cannot be read from the disk"


def _error(external_id: str, detail: str) -> dict[str, Any]:
    return error_body("record.unusable", "The record cannot be used", status=422, detail=f"{external_id}: {detail}")
