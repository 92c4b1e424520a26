"""LLaVA training JSON (a list, or one object per line): images with the conversations that were written about them.

A sample that LLaVA's loader could not train on becomes a fault that says why. Ids repeat in the published mixtures, so a
record is known by its id and a digest of what it says.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.mixtures.llava_file import records as samples_of
from models.mixtures.samples import fault
from models.sources.records import BrokenRecord, Fault, ImageReference, Reading, Record, Tools


def read(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open LLaVA files; nothing is sorted, so memory is that of one sample. Raises BadInput, as they are counted first."""

    def records() -> Iterator[Record | Fault]:
        for path in paths:
            for number, (_, sample) in enumerate(samples_of(path)):
                tools.beat()
                name = str(sample.get("id", number)) if isinstance(sample, dict) else str(number)
                try:
                    yield _record(name, sample)
                except BrokenRecord as error:
                    yield Fault(external_id=f"{path.name} sample {number} (id {name})", detail=str(error))

    return Reading(records=records, total=sum(1 for path in paths for _ in samples_of(path)))


def _record(name: str, sample: Any) -> Record:
    if not isinstance(sample, Mapping):
        raise BrokenRecord("the sample is not an object")
    image, turns = sample.get("image"), sample.get("conversations")
    if not isinstance(image, str):
        several = "it has several images" if isinstance(image, list) else "it has no image"
        raise BrokenRecord(f"{several}; take such samples into a dataset straight from the file")
    broken = fault(turns, image)
    if broken is not None or not isinstance(turns, list):
        raise BrokenRecord(str(broken))
    said = tuple({"from": str(turn["from"]), "value": str(turn["value"])} for turn in turns)
    digest = hashlib.sha256(json.dumps([image, said]).encode()).hexdigest()[:16]
    return Record(external_id=f"{name}@{digest}", image=ImageReference(file_name=image), conversations=said)
