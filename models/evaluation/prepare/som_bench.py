"""SoM-Bench (arXiv 2310.11441): folders of pictures that carry their marks already, in `som_images`, with JSON beside some.

    coco_ovseg, ade20k_ovseg   `<image>_<first>.jpg`, groups of 5 regions; names were never released
    flickr30k_grounding        `<image>.jpg`, `<image>_wbox.jpg` with boxes drawn, `<image>.json`: `caption` with the phrases in
                               parentheses, `gt_ids`: the mark of each phrase, in their order
    refcocog_refseg            `<image>.jpg`, `<image>.json`: a list of {`text`: one expression or several, `ref_id`: the mark}

Folders and file names are those of the authors' page; the JSON's fields are not documented, and are given here as public programs
that read the release use them. Masks were not released, so answers are scored by mark: as `gqa`, word for word, or as
`listing` with names that the caller brings. Numbers of marks are taken as they stand. Prompts are ours. Knows no model.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.errors import BadEvaluation

_GROUP: Final = re.compile(r"(?P<image>.+)_(?P<first>\d{1,3})")
_PHRASE: Final = re.compile(r"\(([^()]+)\)")
_WITH_BOXES: Final = "_wbox"
_NAME_ALL: Final = "Every object in the picture carries a number at its centre. Name all of them, one line for each number, like `1. {example}`."
_FROM: Final = " Use only these names: {names}."
_WHICH: Final = (
    "Every object in the picture carries a number at its centre. Which number is {what}? Answer with the number alone."
)
_WHICH_OF: Final = (
    "Every object in the picture carries a number at its centre. The picture shows: {caption} Which number is {what} of that "
    "sentence? Answer with the number alone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Questions and labels of one part of SoM-Bench, and the benchmark that scores them."""

    benchmark: str
    questions: list[dict[str, Any]]
    labels: list[dict[str, Any]]


def read_som_bench(folder: Path, *, names: Sequence[str] = (), boxes: bool = False) -> Prepared:
    """Read one of the four folders, told apart by what it holds; raises BadEvaluation.

    `names` is the pool for naming; `boxes` takes the pictures with boxes drawn, where there are any. Pictures are named
    relative to `som_images`.
    """
    pictures = folder / "som_images"
    if not pictures.is_dir():
        raise BadEvaluation(f"{folder} holds no folder `som_images`: it is no part of SoM-Bench")
    files = sorted(pictures.glob("*.jpg"))
    plain = [path for path in files if not path.stem.endswith(_WITH_BOXES)]
    if not plain:
        raise BadEvaluation(f"{pictures} holds no .jpg")
    if not any(path.with_suffix(".json").is_file() for path in plain):
        return _naming(plain, names, folder / "labels.jsonl")
    rows: list[dict[str, Any]] = []
    for path in plain:
        boxed = path.with_name(f"{path.stem}{_WITH_BOXES}.jpg")
        rows += _finding(path, boxed.name if boxes and boxed.is_file() else path.name)
    if not rows:
        raise BadEvaluation(f"{pictures} holds no question")
    return Prepared(
        benchmark="gqa",
        questions=[{name: row[name] for name in ("question_id", "image", "text")} for row in rows],
        labels=[{name: row[name] for name in ("question_id", "answer")} for row in rows],
    )


def _naming(files: Sequence[Path], names: Sequence[str], truth: Path) -> Prepared:
    """Ask for all names; labels are the caller's own `labels.jsonl` beside `som_images`, {image, items}, where there is one."""
    prompt = _NAME_ALL.replace("{example}", names[0] if names else "dog")
    prompt += _FROM.replace("{names}", ", ".join(names)) if names else ""
    questions = []
    for path in files:
        group = _GROUP.fullmatch(path.stem)
        about = (
            {"image_id": group["image"], "first": int(group["first"])} if group else {"image_id": path.stem, "first": 0}
        )
        questions.append({"question_id": path.stem, "image": path.name, "text": prompt, **about})
    labels = [] if not truth.is_file() else [json.loads(line) for line in truth.read_text("utf-8").splitlines() if line]
    return Prepared(benchmark="listing", questions=questions, labels=labels)


def _finding(path: Path, shown: str) -> Iterator[dict[str, Any]]:
    """Yield a question for each phrase or expression of a picture."""
    beside = path.with_suffix(".json")
    try:
        stated = json.loads(beside.read_text(encoding="utf-8"))
        pairs = list(_phrases(stated) if isinstance(stated, dict) else _expressions(stated))
    except OSError:
        raise BadEvaluation(f"{path.name} has no {beside.name} beside it") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BadEvaluation(f"{beside.name} is not as SoM-Bench has it: {type(error).__name__} {error}") from error
    for number, (prompt, mark) in enumerate(pairs):
        yield {"question_id": f"{path.stem}-{number}", "image": shown, "text": prompt, "answer": str(mark)}


def _phrases(stated: dict[str, Any]) -> Iterator[tuple[str, int]]:
    caption, marks = str(stated["caption"]), [int(mark) for mark in stated["gt_ids"]]
    phrases = [str(one) for one in stated.get("phrases") or _PHRASE.findall(caption)]
    if len(phrases) != len(marks):
        raise ValueError(f"{len(phrases)} phrases and {len(marks)} marks")
    sentence = _PHRASE.sub(r"\1", caption).strip()
    for phrase, mark in zip(phrases, marks, strict=True):
        yield _WHICH_OF.replace("{caption}", sentence).replace("{what}", f'"{phrase}"'), mark


def _expressions(stated: Sequence[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for one in stated:
        for words in [one["text"]] if isinstance(one["text"], str) else one["text"]:
            yield _WHICH.replace("{what}", f'"{words}"'), int(one["ref_id"])
