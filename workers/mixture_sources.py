"""Where the samples of a mixture come from: texts of the catalog and records of LLaVA JSON files, by one port.

A source is read once in pages (`scan`), keeping a few bytes per faultless sample, and then asked for those that were
chosen (`rows`). Called by `workers.mixing`; knows no rule of a recipe but its selectors.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from app.catalog.tables import TextRow
from app.catalog.texts import TextRepository
from app.formats.llava import image_file
from app.services.freshness import outdated
from app.services.import_folder import ImportFolder
from models.mixtures.draws import identity
from models.mixtures.fit import Outdated
from models.mixtures.llava_file import record_at, records
from models.mixtures.recipe import FileSelector, Part, TextSelector
from models.mixtures.samples import Sample, fault, placed, words_of
from models.writers.types import CUT
from workers.context import JobContext

PAGE = 500
_LISTED = 1_000
SPOILT = "its marks were corrected, and the text does not fit the new ones"


@dataclass(slots=True)
class Faults:
    """What was left out: how often for which reason, and the first ones by name."""

    reasons: Counter[str] = field(default_factory=Counter)
    listed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, reason: str) -> None:
        """Count one."""
        self.reasons[reason] += 1
        if len(self.listed) < _LISTED:
            self.listed.append((name, reason))


class Source(Protocol):
    """Samples by number, in the order of reading."""

    faults: Faults

    def scan(self) -> Iterator[Sample]:
        """Yield every faultless sample once, from the first number on; the others are counted in `faults`."""
        ...

    def rows(self, indices: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the columns of a dataset item for each of the numbers, in any order."""
        ...

    def emptiness(self) -> str:
        """Why there is nothing here, and what would help."""
        ...


def open_source(job: JobContext, part: Part) -> Source:
    """The source of a part; raises Unprocessable for a file that is not there."""
    if part.texts is not None:
        return CatalogSource(job, part.texts)
    if part.file is None:
        raise ValueError("a part has texts or a file")
    folder = ImportFolder(job.resources.settings)
    images = None if part.file.images is None else folder.find(part.file.images)
    without = None if part.file.without is None else folder.find(part.file.without)
    return FileSource(part, part.file, folder.find(part.file.path), images, without)


class CatalogSource:
    """Texts of the catalog, with the words that they had when they were scanned, whoever edits them meanwhile."""

    def __init__(self, job: JobContext, selector: TextSelector) -> None:
        self.faults = Faults()
        self._job, self._selector = job, selector
        self._ids = bytearray()
        self._revisions = array("I")
        self._newer: dict[int, UUID] = {}

    def scan(self) -> Iterator[Sample]:
        """Read the selected texts, oldest first."""
        after: tuple[datetime, UUID] | None = None
        while True:
            with self._job.transaction() as session:
                page = TextRepository(session).selected_after(self._selector, after, limit=PAGE)
                keep = self._selector.outdated == "keep"
                stale: Mapping[UUID, Outdated] = {} if keep else outdated(session, page)
            if not page:
                return
            for text in page:
                if (sample := self._sample(text, stale.get(text.id))) is not None:
                    yield sample
            after = (page[-1].created_at, page[-1].id)

    def _sample(self, text: TextRow, stale: Outdated | None) -> Sample | None:
        image = image_file(text.image_id, text.mark_set_id if text.tagged else None, text.provenance.get(CUT))
        # What a writer gives without a placeholder is text alone, though it was written about an image.
        pictured = any("<image>" in str(turn.get("value")) for turn in text.conversations if isinstance(turn, dict))
        reason = fault(text.conversations, image if pictured or text.tagged else None)
        if reason is None and stale is not None and not stale.fits:
            reason = SPOILT
        if reason is not None:
            self.faults.add(str(text.id), reason)
            return None
        if stale is not None and text.tagged:
            self._newer[len(self._revisions)] = UUID(stale.newest)
        self._ids += text.id.bytes
        self._revisions.append(text.revision)
        return Sample(
            key=str(text.id),
            id=str(text.id),
            kind=text.kind,
            conversations=text.conversations,
            image=image if pictured else None,
            picture=str(text.image_id),
        )

    def rows(self, indices: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the chosen texts again, at the revisions that were scanned."""
        ids = {UUID(bytes=bytes(self._ids[16 * index : 16 * index + 16])): index for index in indices}
        with self._job.transaction() as session:
            found = TextRepository(session).at_revisions(
                (text_id, self._revisions[index]) for text_id, index in ids.items()
            )
        for text_id, (text, earlier) in found.items():
            index = ids[text_id]
            mark_set_id = self._newer.get(index, text.mark_set_id) if text.tagged else None
            conversations = placed(text.conversations if earlier is None else earlier.conversations)
            pictured = "<image>" in conversations[0]["value"]
            yield (
                index,
                {
                    "text_id": text_id,
                    "revision": self._revisions[index],
                    "sample_id": str(text_id),
                    "image": image_file(text.image_id, mark_set_id, text.provenance.get(CUT)) if pictured else None,
                    "image_id": text.image_id if pictured else None,
                    "mark_set_id": mark_set_id if pictured else None,
                    "kind": text.kind,
                    "review": text.review if earlier is None else earlier.review,
                    "conversations": conversations,
                },
            )

    def emptiness(self) -> str:
        """What the selector asked for."""
        if self.faults.listed:
            return f"all {sum(self.faults.reasons.values())} texts were left out, the first because {self.faults.listed[0][1]}."
        kinds = ", ".join(self._selector.kinds) or "any kind"
        return (
            f"no text of {kinds} is there with these reviews, writers and jobs; have some written by /v1/annotations."
        )


class FileSource:
    """Records of a LLaVA JSON file, found again by their places in it."""

    def __init__(
        self, part: Part, selector: FileSelector, path: Path, images: Path | None, without: Path | None = None
    ) -> None:
        self.faults = Faults()
        self._part, self._selector, self._path, self._without = part, selector, path, without
        self._images = None if images is None else images.resolve()
        self._begins = array("Q")
        self._sizes = array("I")
        self._count = 0

    def scan(self) -> Iterator[Sample]:
        """Read the file once, behind the one that it is without."""
        unwanted = set() if self._without is None else _said(self._without)
        for number, (place, record) in enumerate(records(self._path)):
            self._count += 1
            reason, image = self._fault(record)
            if unwanted and reason is None and _identity(record["conversations"]) in unwanted:
                reason = f"it stands in {self._selector.without}"
            name = str(record.get("id", number)) if isinstance(record, dict) else str(number)
            if reason is not None:
                self.faults.add(name, reason)
                continue
            self._begins.append(place[0])
            self._sizes.append(place[1])
            yield Sample(
                key=f"{self._part.name}:{number}",
                id=name,
                kind=self._selector.kind,
                conversations=record["conversations"],
                image=image,
                picture=image,
            )

    def _fault(self, record: Any) -> tuple[str | None, str | None]:
        if not isinstance(record, dict):
            return "a sample must be an object with `conversations`", None
        image = record.get("image")
        reason = fault(record.get("conversations"), image)
        if reason is None and image is not None and self._images is not None and self.picture(image) is None:
            reason = "its picture is not in the folder of pictures"
        return reason, image

    def picture(self, image: str) -> Path | None:
        """The file of a picture inside the folder, if it is there."""
        if self._images is None:
            return None
        path = (self._images / image).resolve()
        return path if path.is_relative_to(self._images) and path.is_file() else None

    def rows(self, indices: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the chosen records again."""
        with self._path.open("rb") as file:
            for index in indices:
                record = record_at(file, (self._begins[index], self._sizes[index]))
                yield (
                    index,
                    {
                        "text_id": None,
                        "revision": None,
                        "sample_id": str(record.get("id", index)),
                        "image": record.get("image"),
                        "image_id": None,
                        "mark_set_id": None,
                        "kind": self._selector.kind,
                        "review": None,
                        "conversations": placed(record["conversations"]),
                    },
                )

    def emptiness(self) -> str:
        """What the file holds."""
        if self.faults.listed:
            return f"none of its {self._count} records can be used, the first because {self.faults.listed[0][1]}."
        return f"the file {self._selector.path} holds no record."


def _said(path: Path) -> set[int]:
    """What the records of a file say, 8 bytes each: LLaVA-Instruct-150K takes some 10 MB."""
    told = (_identity(record.get("conversations")) for _, record in records(path) if isinstance(record, dict))
    return {one for one in told if one is not None}


def _identity(conversations: Any) -> int | None:
    words = words_of(conversations)
    return None if words is None else identity(words)
