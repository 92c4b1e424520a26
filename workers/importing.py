"""import.create: records of published annotation files -> images, what is known of them, and texts that came along.

Reads the source in one stream; every record is an item of the job, settled in batches, so a killed worker goes on behind
the last batch, a retry does only what failed, and every error names its record. Pictures come in through the same door
as uploads. Importing again adds nothing.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.imaging.errors import ImagingError
from app.services.import_folder import ImportFolder, Pictures
from app.storage.blobs import BlobCorrupt
from models.errors import BadInput
from models.sources.census import Census, count
from models.sources.cleaning import Cleaner, Cleaning
from models.sources.formats import open_source
from models.sources.records import Fault, Reading, Record, Tools
from workers.accepting import Acceptance, Ready, refused, shown
from workers.batches import Batches, Ending
from workers.context import JobContext
from workers.retries import EveryItemFailed

# A batch is a transaction: 64 pictures take 1 to 2 s to decode, which is the most that a killed worker loses.
BATCH = 64
STAGE = "import"
Numbered = list[tuple[int, Record | Fault]]


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `import.create` job; its result counts the records by what became of them."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="markwise-import-")))
        job.progress(0, 1, "read")
        reading = _open(job, scratch)
        acceptance = _acceptance(job, reading)
        threads = stack.enter_context(ThreadPoolExecutor(job.resources.decoder_limits.processes, "markwise-import"))
        _import(job, reading, acceptance, threads)
    tally = Batches(job, STAGE).tally()
    if tally and set(tally) == {"failed"}:
        raise EveryItemFailed
    return {
        "records": sum(tally.values()),
        **{name: tally.get(name, 0) for name in ("added", "known", "skipped", "failed")},
    }


def _open(job: JobContext, scratch: Path) -> Reading:
    """Open the source; raises BadInput for files that cannot be read, and Unprocessable for names outside the folder."""
    folder = ImportFolder(job.resources.settings)
    paths = [
        _fetched(job, file, scratch) if "blob" in file else folder.find(file["path"]) for file in job.payload["files"]
    ]
    sorting = scratch / "sorting"
    sorting.mkdir()
    decoder = job.resources.decoder

    def decode(data: bytes) -> NDArray[np.uint8]:
        try:
            return decoder.decode_pixels(data).image
        except ImagingError as error:
            raise BadInput(error.detail) from None

    return open_source(job.payload["format"], paths, Tools(scratch=sorting, decode=decode, beat=job.checkpoint))


def _fetched(job: JobContext, file: dict[str, str], scratch: Path) -> Path:
    """An uploaded annotation file, put on disk for the reader; raises BlobCorrupt unless it is what its name says."""
    path, digest = scratch / file["name"], hashlib.sha256()
    with job.resources.blobs.open(file["blob"]) as stored, path.open("wb") as copy:
        while part := stored.read(1 << 20):
            copy.write(part)
            digest.update(part)
    if not file["blob"].endswith(f"/{digest.hexdigest()}"):
        raise BlobCorrupt(f"the uploaded file {file['blob']} is damaged")
    return path


def _acceptance(job: JobContext, reading: Reading) -> Acceptance:
    payload = job.payload
    rules = Cleaning.from_json(payload["cleaning"])
    if rules.counts:
        job.progress(0, reading.total, "count")
    folder = None if payload["images"] is None else ImportFolder(job.resources.settings).find(payload["images"])
    return Acceptance(
        job_id=job.job_id,
        tenant_id=job.tenant_id,
        door=job.resources.door,
        pictures=None if folder is None else Pictures(folder),
        source=payload["source"],
        labels=tuple(payload["labels"]),
        cleaner=Cleaner(rules=rules, census=count(reading.records()) if rules.counts else Census()),
    )


def _import(job: JobContext, reading: Reading, acceptance: Acceptance, threads: ThreadPoolExecutor) -> None:
    batches = Batches(job, STAGE)
    for batch in _batched(reading.records()):
        job.checkpoint()
        opening = batches.open({number: shown(record.external_id) for number, record in batch})
        batches.forget(opening)
        wanted = [one for one in batch if one[0] in set(opening.todo)]
        # One of these may have killed the last worker: alone, it takes nobody with it.
        for part in [wanted] if not opening.suspects else [[one] for one in wanted]:
            _settle(batches, part, acceptance, threads, reading.total)
    batches.drop_behind(reading.total)


def _batched(records: Iterator[Record | Fault]) -> Iterator[Numbered]:
    numbered = enumerate(records)
    while batch := list(itertools.islice(numbered, BATCH)):
        yield batch


def _settle(
    batches: Batches,
    part: Sequence[tuple[int, Record | Fault]],
    acceptance: Acceptance,
    threads: ThreadPoolExecutor,
    total: int,
) -> None:
    if not part:
        return
    begun = batches.begin({number: shown(record.external_id) for number, record in part}, total=total)
    try:
        ready = list(threads.map(lambda one: _ready(acceptance, *one), [one for one in part if one[0] in begun]))
        batches.end([Ending(number=one.number, effect=one.effect) for one in ready], total=total)
    except Exception:
        batches.give_back(begun)
        raise


def _ready(acceptance: Acceptance, number: int, record: Record | Fault) -> Ready:
    if isinstance(record, Fault):
        return refused(number, record.external_id, record.detail)
    return acceptance.ready(number, record)
