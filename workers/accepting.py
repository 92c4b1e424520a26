"""One record of a source -> its image behind the door, and the effect that writes what is known of it.

Called by `importing` from several threads: `ready` does the slow part with no transaction open, the effect it returns
runs inside the batch's. What is wrong with a record becomes an error that names it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.image_facts import ImageFactsRepository, StatedFacts
from app.catalog.images import ImageRepository
from app.catalog.tables import ImageRow
from app.catalog.texts import TextRepository
from app.errors import AppError, Unavailable
from app.queue.tasks import error_body
from app.services.images import ImageDoor
from app.services.import_folder import Pictures
from app.storage.blobs import StoreUnavailable
from models.errors import ModelError
from models.facts import ImageFacts
from models.sources.cleaning import Cleaner
from models.sources.records import BrokenRecord, Record
from models.sources.sizing import in_pixels
from workers.batches import Ended

LONGEST_ID = 500
# A backslash that is itself escaped begins no escape.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class _LeftOut(Exception):
    """A rule leaves nothing of the record; the message says which."""


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
    cleaner: Cleaner

    def ready(self, number: int, record: Record) -> Ready:
        """Let the picture in and prepare the rest; only a dead dependency raises."""
        try:
            image, new, facts = self._taken(record)
        except _LeftOut as reason:
            return skipped(number, str(reason))
        except (StoreUnavailable, Unavailable):
            raise
        except (ModelError, AppError, OSError) as error:
            return refused(number, record.external_id, _words(error))
        return Ready(number=number, effect=partial(self._write, number, record, image, new, facts))

    def _taken(self, record: Record) -> tuple[ImageRow, bool, ImageFacts | None]:
        """The image, whether it is new, and what is known of it; raises _LeftOut, before the picture is read where it can."""
        if not self.cleaner.rules.left_out_records.isdisjoint((record.external_id, *record.aliases)):
            raise _LeftOut("it is left out by name")
        facts = record.facts if record.fractions else self._cleaned(record.facts)
        _check_storable(record, facts)
        image, new = self._image(record)
        sized = _sized(record, facts, (image.height, image.width))
        return image, new, self._cleaned(sized) if record.fractions else sized

    def _cleaned(self, facts: ImageFacts | None) -> ImageFacts | None:
        left = None if facts is None else self.cleaner.clean(facts)
        if isinstance(left, str):
            raise _LeftOut(left)
        return left

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
        fresh = False
        if facts is not None:
            stated = StatedFacts(image_id=image.id, source=self.source, external_id=record.external_id, facts=facts)
            try:
                fresh = ImageFactsRepository(session).add_or_fill(stated)
            except (ModelError, AppError) as error:
                return Ended(error=_error(record.external_id, _words(error)))
        if fresh and record.conversations:
            TextRepository(session).add_once(self._text(number, record, image))
        # Only now: an image whose record cannot be used must not be found by the source's label.
        ImageRepository(session).add_labels(image.id, list(self.labels))
        return Ended(result={"outcome": "added" if new or fresh else "known", "image_id": str(image.id)})

    def _text(self, number: int, record: Record, image: ImageRow) -> dict[str, Any]:
        """The row of a conversation that came with an image."""
        return {
            "image_id": image.id,
            "mark_set_id": None,
            "job_id": self.job_id,
            "job_item": number,
            "ordinal": 0,
            "kind": "conversation",
            "tagged": _is_tagged(record),
            "conversations": [dict(turn) for turn in record.conversations],
            "provenance": {"writer": "import", "source": self.source, "external_id": record.external_id},
        }


def shown(text: str, longest: int = LONGEST_ID) -> str:
    """A source's own text as Postgres and people can read it: cut, without U+0000 and halves of characters."""
    cut = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return cut.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def skipped(number: int, reason: str) -> Ready:
    """A record that the cleaning rules leave out."""
    return Ready(number=number, effect=lambda _: Ended(result={"outcome": "skipped", "reason": reason}))


def refused(number: int, external_id: str, detail: str) -> Ready:
    """A record that cannot be taken."""
    return Ready(number=number, effect=lambda _: Ended(error=_error(external_id, detail)))


def _sized(record: Record, facts: ImageFacts | None, size_hw: tuple[int, int]) -> ImageFacts | None:
    """What is known on the frame of the picture; None where the source knows nothing."""
    if facts is None:
        return ImageFacts(size_hw=size_hw) if record.conversations else None
    found = in_pixels(facts, size_hw) if record.fractions else facts
    if found.size_hw != size_hw:
        (height, width), (real_height, real_width) = found.size_hw, size_hw
        raise BrokenRecord(f"its source says {width} x {height} pixels, the picture has {real_width} x {real_height}")
    return found


def _check_storable(record: Record, facts: ImageFacts | None) -> None:
    """Raise BrokenRecord for what Postgres would refuse, and with it the whole batch."""
    if len(record.external_id) > LONGEST_ID:
        raise BrokenRecord(f"its id is longer than {LONGEST_ID} characters")
    stated = [None if facts is None else facts.to_json(), record.conversations, record.external_id]
    try:
        told = json.dumps(stated, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:  # also of UTF-8, for half a surrogate pair
        raise BrokenRecord("it holds a number that is not finite, or half a character") from None
    if _NUL.search(told):
        raise BrokenRecord("a text of it holds the character U+0000")


def _is_tagged(record: Record) -> bool:
    """Whether the picture carries painted marks: SoM-LLaVA publishes those in folders called `som_...`."""
    return any(part.startswith("som_") for part in PurePosixPath(record.image.file_name or "").parts[:-1])


def _words(error: Exception) -> str:
    """Our own words for what went wrong; another library's text never leaves."""
    if isinstance(error, AppError):
        return error.detail
    return str(error) if isinstance(error, ModelError) else "its picture cannot be read from the disk"


def _error(external_id: str, detail: str) -> dict[str, Any]:
    said = f"{shown(external_id)}: {detail}"
    return error_body("record.unusable", "The record cannot be used", status=422, detail=shown(said, 2 * LONGEST_ID))
