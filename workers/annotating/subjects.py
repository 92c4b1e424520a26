"""Items -> subjects: loads what a writer needs to know about a batch of images in a few queries, and marks what has no marks.

Marks come from a mark set that the order names, from facts (every outlined object becomes a region), or from a segmenter.
New marks are not saved here: they are committed with the text. Called by `factory` from several threads.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.image_facts import ImageFactsRepository
from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.tables import ImageRow, MarkSetRow
from app.errors import AppError, NotFound
from app.imaging.encode import encode, read_canonical
from app.services.marking import settings_sha256
from app.storage.blobs import BlobError
from models.errors import BadInput, ModelError
from models.facts import ImageFacts
from models.sources.regions import regions_of
from models.writers.types import Subject
from workers.annotating.orders import Order
from workers.annotating.pictures import CatalogPicture, stored_picture, tagged_mark, tagged_marks
from workers.context import Item, JobContext
from workers.marking import Marked, Segmented, marked_image, marked_regions, save

FACTS = "facts"
"""Name of the segmenter in mark sets that were made of imported objects."""
FACTS_VERSION = "1"

Keep = Callable[[Session], UUID | None]
"""Saves the marks that a text is about, in the text's own transaction; returns their mark set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An item with its subject, or with the reason why there is none."""

    item: Item
    image_id: UUID
    subject: Subject | None = None
    keep: Keep = lambda _session: None
    error: Exception | None = None

    def known(self) -> Subject:
        """Return the subject, or raise the reason."""
        if self.subject is None:
            raise self.error or BadInput()
        return self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the catalog holds about the images of a batch."""

    images: Mapping[UUID, ImageRow]
    facts: Mapping[UUID, ImageFacts]
    sets: Mapping[UUID, MarkSetRow]
    marks: Mapping[UUID, Sequence[Any]]


class Subjects:
    """Loads subjects for one order."""

    def __init__(self, job: JobContext, order: Order) -> None:
        self._job, self._order = job, order
        # Segmenters and painting are work for the processor; side by side they would only fight for it.
        self._making = threading.Lock()

    def load(self, items: Sequence[Item], known: Known) -> Iterator[Loaded]:
        """Yield one `Loaded` per item, in order; `known` is what `look_up` found for them, and perhaps for others."""
        return (self._loaded(item, known) for item in items)

    def look_up(self, items: Sequence[Item]) -> Known:
        """Ask the catalog about these items, in a few queries for all of them."""
        order = self._order
        image_ids = [_image_of(item) for item in items]
        with self._job.transaction() as session:
            images = ImageRepository(session).with_ids(image_ids)
            needs_facts = order.entry.about == "facts" or order.from_facts
            facts = ImageFactsRepository(session).of_images(image_ids, order.sources) if needs_facts else {}
            if order.entry.about == "facts":
                return Known(images=images, facts=facts, sets={}, marks={})
            mark_sets = MarkSetRepository(session)
            chosen = [UUID(item.payload["mark_set_id"]) for item in items if item.payload.get("mark_set_id")]
            sets = {row.image_id: row for row in mark_sets.with_ids(chosen)}
            wanted = {image_id: self._identity(facts.get(image_id))[1] for image_id in images if image_id not in sets}
            sets |= {row.image_id: row for row in mark_sets.find_all(wanted)}
            return Known(
                images=images, facts=facts, sets=sets, marks=mark_sets.names([row.id for row in sets.values()])
            )

    def _loaded(self, item: Item, known: Known) -> Loaded:
        image_id = _image_of(item)
        image, facts, stored = known.images.get(image_id), known.facts.get(image_id), known.sets.get(image_id)
        lacking = self._lacking(item, image, facts, stored)
        if image is None or lacking is not None:
            return Loaded(item=item, image_id=image_id, error=lacking)
        if self._order.entry.about == "facts":
            return Loaded(item=item, image_id=image_id, subject=self._subject(image, facts, None))
        if stored is not None:
            picture = self._stored(image, stored, known.marks.get(stored.id, ()))
            keep: Keep = _keep_stored(stored.id)
        else:
            try:
                picture, keep = self._made(image, facts)
            except (ModelError, AppError, BlobError, ValueError) as error:  # the last: damaged bytes
                return Loaded(item=item, image_id=image_id, error=error)
        return Loaded(item=item, image_id=image_id, subject=self._subject(image, facts, picture), keep=keep)

    def _lacking(
        self, item: Item, image: ImageRow | None, facts: ImageFacts | None, stored: MarkSetRow | None
    ) -> Exception | None:
        """What is missing to write about an image at all."""
        if image is None:
            return NotFound("The image has been deleted.")
        if self._order.entry.about == "facts" and facts is None:
            return BadInput("Nothing is known about this image: import annotations of it first.")
        if item.payload.get("mark_set_id") and stored is None and self._order.entry.about == "marks":
            return NotFound("The mark set has been deleted.")
        return None

    def _subject(self, image: ImageRow, facts: ImageFacts | None, picture: CatalogPicture | None) -> Subject:
        return Subject(
            image_id=str(image.id),
            seed=seed_of(self._order.seed, str(image.id)),
            size_hw=(image.height, image.width),
            facts=facts,
            tagged=picture,
            pixels=lambda: read_canonical(self._job.resources.blobs.get(image.blob_key)),
        )

    def _stored(self, image: ImageRow, row: MarkSetRow, marks: Sequence[Any]) -> CatalogPicture:
        known = (tagged_mark(mark.mark, _box(mark.bbox_xyxy_px), text=mark.text, role=mark.role) for mark in marks)
        return stored_picture(self._job, row, tuple(known), (image.height, image.width))

    def _made(self, image: ImageRow, facts: ImageFacts | None) -> tuple[CatalogPicture, Keep]:
        settings, sha256 = self._identity(facts)
        with self._making:
            if self._order.from_facts:
                if facts is None or not facts.objects:
                    raise BadInput("No objects are known of this image, so there is nothing to mark.")
                pixels = read_canonical(self._job.resources.blobs.get(image.blob_key))
                made = Segmented(name=FACTS, version=FACTS_VERSION, regions=regions_of(facts))
                marked = marked_regions(self._job, image, pixels, made, settings, sha256)
            else:
                marked = marked_image(self._job, image.id, settings, sha256, report=self._told)
        picture = CatalogPicture(
            tagged_marks(marked),
            (image.height, image.width),
            overlay_png=lambda: encode(marked.overlay),
            load=lambda: marked,
        )
        return picture, partial(_keep_made, marked)

    def _identity(self, facts: ImageFacts | None) -> tuple[dict[str, Any], str]:
        """The settings of an image's mark set, and their hash; of marks from facts the facts are a part."""
        order = self._order
        if not order.from_facts:
            return dict(order.settings), order.settings_sha256
        outlined = [] if facts is None else facts.to_json()["objects"]
        digest = hashlib.sha256(json.dumps(outlined, sort_keys=True).encode()).hexdigest()
        settings = {**order.settings, "segmenter": FACTS, "facts_sha256": digest}
        return settings, settings_sha256(settings)

    def _told(self, _done: int, _total: int, _stage: str) -> None:
        """Stages of one image's marking are not the job's progress."""


def seed_of(seed: int, image_id: str) -> int:
    """The seed of one image's texts: 31 bits that depend on the order's seed and on the image alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{image_id}".encode()).digest()[:4], "big") >> 1


def _image_of(item: Item) -> UUID:
    return UUID(item.payload["image_id"])


def _keep_stored(mark_set_id: UUID) -> Keep:
    return lambda _session: mark_set_id


def _keep_made(marked: Marked, session: Session) -> UUID:
    return save(session, marked)


def _box(values: Sequence[float]) -> tuple[float, float, float, float]:
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])
