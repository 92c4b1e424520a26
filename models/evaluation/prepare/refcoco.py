"""RefCOCO, RefCOCO+ and RefCOCOg as the authors' `refer` publishes them: `instances.json` and `refs(unc).p` or `refs(google).p`.

A ref names an annotation and holds sentences, each of which becomes a question about all annotated regions of its
picture. The refs may also be the same list as JSON; the pickle is read by `plain_pickle`, which runs nothing. Knows no model.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.pictured import Phrase
from models.evaluation.prepare.plain_pickle import read_plain
from models.facts import ImageFacts
from models.regions import Regions
from models.sources.formats import open_source
from models.sources.records import Fault, Tools
from models.sources.regions import regions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One annotation of one picture, and what people called it."""

    ref_id: str
    image_id: str
    annotation_id: str
    split: str
    sentences: tuple[tuple[str, str], ...]  # id, words


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Referred:
    """A picture with its annotated regions, bare of names, and its expressions: question id, words, index of the region."""

    image_id: str
    file_name: str
    regions: Regions
    expressions: tuple[tuple[str, Phrase], ...]


def find_refs(folder: Path, split_by: str | None = None) -> Path:
    """Return the file of refs in a folder of `refer`; raises BadEvaluation where there is none, or several to choose from."""
    found = sorted(path for path in folder.glob("refs(*).*") if path.suffix in (".p", ".json"))
    if split_by is not None:
        found = [path for path in found if path.stem == f"refs({split_by})"]
    names = {path.stem for path in found}
    if len(names) > 1:
        raise BadEvaluation(f"{folder} holds {', '.join(sorted(names))}: say which, such as --split-by google")
    if not found:
        raise BadEvaluation(f"{folder} holds no refs(NAME).p and no refs(NAME).json")
    return min(found, key=lambda path: path.suffix)  # JSON before the pickle


def read_refs(path: Path, split: str | None = None) -> list[Ref]:
    """Return the refs of a file, of one split if it is named ("test" takes testA, testB, ...); raises BadEvaluation."""
    data = path.read_bytes()
    try:
        rows = read_plain(data, path.name) if path.suffix == ".p" else json.loads(data)
        refs = [_ref(row) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise BadEvaluation(
            f"{path.name} holds no refs as `refer` writes them: {type(error).__name__} {error}"
        ) from error
    chosen = [ref for ref in refs if split is None or ref.split == split or (split == "test" and "test" in ref.split)]
    if not chosen:
        known = ", ".join(sorted({ref.split for ref in refs})) or "none"
        raise BadEvaluation(f"{path.name} holds no ref of the split {split}; it holds {known}")
    return chosen


def _ref(row: Any) -> Ref:
    return Ref(
        ref_id=str(row["ref_id"]),
        image_id=str(row["image_id"]),
        annotation_id=str(row["ann_id"]),
        split=str(row["split"]),
        sentences=tuple((str(one["sent_id"]), str(one.get("sent") or one["raw"]).strip()) for one in row["sentences"]),
    )


def referred(instances: Path, refs: Sequence[Ref], tools: Tools) -> Iterator[Referred]:
    """Yield the pictures that the refs speak of; raises BadEvaluation where a ref names an annotation that is not there."""
    wanted: dict[str, list[Ref]] = defaultdict(list)
    for ref in refs:
        wanted[ref.image_id].append(ref)
    for record in open_source("coco", [instances], tools).records():
        if record.external_id not in wanted:
            continue
        if isinstance(record, Fault):
            raise BadEvaluation(f"image {record.external_id} of {instances.name}: {record.detail}")
        if record.facts is not None and record.image.file_name is not None:
            yield _referred(record.external_id, record.image.file_name, record.facts, wanted.pop(record.external_id))
    if wanted:
        raise BadEvaluation(
            f"{instances.name} does not list image {min(wanted)}, which the refs name: are they of one data set?"
        )


def _referred(image_id: str, file_name: str, facts: ImageFacts, refs: Sequence[Ref]) -> Referred:
    spoken_of = {ref.annotation_id for ref in refs}
    regions = regions_of(facts)
    crowds = {item.id for item in facts.objects if item.crowd} - spoken_of
    kept = regions.take([i for i, name in enumerate(regions.ids) if name not in crowds])
    missing = spoken_of - set(kept.ids)
    if missing:
        raise BadEvaluation(f"image {image_id} has no annotation {min(missing)}, which a ref names")
    index = {name: i for i, name in enumerate(kept.ids)}
    return Referred(
        image_id=image_id,
        file_name=file_name,
        # What people called things must not be told to the model that is asked.
        regions=Regions.from_rles(kept.size_hw, kept.rles, kept.boxes_xyxy_px, ids=kept.ids),
        expressions=tuple(
            (f"{ref.ref_id}-{sentence_id}", Phrase(text=words, region=index[ref.annotation_id]))
            for ref in refs
            for sentence_id, words in ref.sentences
        ),
    )


def questions(pictures: Iterator[Referred]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield a question and its label for each expression, as the benchmark `refer` reads them."""
    for picture in pictures:
        regions = [
            {"id": name, "rle": rle, "bbox_xyxy_px": box}
            for name, rle, box in zip(
                picture.regions.ids, picture.regions.rles, picture.regions.boxes_xyxy_px.tolist(), strict=True
            )
        ]
        for question_id, phrase in picture.expressions:
            shape = {name: regions[phrase.region][name] for name in ("rle", "bbox_xyxy_px")}
            asked = {"question_id": question_id, "image": picture.file_name, "text": phrase.text, "regions": regions}
            yield asked, {"question_id": question_id, **shape}
