"""Reads the questions of a benchmark from its official files into one form.

Prompts are those of LLaVA's evaluation, since published figures rest on them: the question, the options one a line, and
a sentence on how to answer. Knows no model; a picture is a path or the bytes that a sheet carries.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.scores.reading import Row, read
from models.evaluation.scores.reading import field as value_of

_LETTERS: Final = "ABCDEF"
_YES_NO: Final = MappingProxyType({"Yes": "Yes", "No": "No"})
_BY_LETTER: Final = "Answer with the option's letter from the given choices directly."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: `key` is unique in its run, `row` is what the answer line repeats beside the answer.

    `options` maps what may be answered to its words; empty where any words will do. `answer_field` is the answer's name in it.
    """

    key: str
    image: Path | bytes
    prompt: str
    options: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)
    answer_field: str = "text"


def load(benchmark: str, path: Path, images: Path | None) -> list[Question]:
    """Return the questions of `path`; raises BadEvaluation where a row or a picture's name is not as expected.

    `images` is the folder that names of pictures are relative to; MMBench's sheets carry theirs.
    """
    rows = read(path)
    match benchmark:
        case "mmbench":
            questions = list(_mmbench(rows))
        case "seed":
            questions = list(_seed(rows, images))
        case _:
            questions = list(_llava(benchmark, rows, images))
    if not questions:
        raise BadEvaluation(f"{path} holds no question")
    doubled = len(questions) - len({question.key for question in questions})
    if doubled:
        raise BadEvaluation(f"{path} asks {doubled} questions twice under one id")
    return questions


def _llava(benchmark: str, rows: list[Row], images: Path | None) -> Iterator[Question]:
    """JSON lines {question_id, image, text, category}, the layout of LLaVA's evaluation for all but MMBench."""
    for row in rows:
        question_id, prompt = (
            value_of(row, "question_id", where="questions"),
            str(value_of(row, "text", where="questions")),
        )
        listing = benchmark == "listing"
        yield Question(
            # MME asks twice about each id.
            key=f"{question_id}\n{prompt}" if benchmark == "mme" else str(question_id),
            image=_file(images, str(value_of(row, "image", where="questions"))),
            prompt=prompt,
            options=_YES_NO if benchmark in ("pope", "mme") else {},
            row={"image": row["image"]} if listing else {"question_id": question_id, "prompt": prompt},
        )


def _seed(rows: list[Row], images: Path | None) -> Iterator[Question]:
    """The official SEED-Bench.json; its videos are left out."""
    for row in rows:
        if "choice_a" not in row:
            yield from _seed_lines(row, images)
            continue
        if row.get("data_type") == "video":
            continue
        options = {letter: str(row[f"choice_{letter.lower()}"]) for letter in "ABCD"}
        question_id = value_of(row, "question_id", where="questions")
        yield Question(
            key=str(question_id),
            image=_file(images, str(value_of(row, "data_id", where="questions"))),
            prompt=_choices(str(value_of(row, "question", where="questions")), options),
            options=options,
            row={"question_id": question_id},
            answer_field="prediction",
        )


def _seed_lines(row: Row, images: Path | None) -> Iterator[Question]:
    if str(row.get("question_id", "")).startswith("v"):
        return
    for question in _llava("seed", [row], images):
        letters = {letter: letter for letter in "ABCD"}
        yield Question(
            key=question.key,
            image=question.image,
            prompt=question.prompt,
            options=letters,
            row=question.row,
            answer_field="prediction",
        )


def _mmbench(rows: list[Row]) -> Iterator[Question]:
    """MMBench's sheet {index, question, hint, A.., answer, image}; rotations share the picture of the first of them."""
    pictures: dict[int, bytes] = {}
    for row in rows:
        index = int(float(value_of(row, "index", where="sheet")))
        packed = row.get("image")
        if packed is not None and len(str(packed)) > 64:
            pictures[index] = _unpacked(str(packed), index)
        base = index if index in pictures else index % 1_000_000
        if base not in pictures:
            raise BadEvaluation(f"question {index} of the sheet carries no picture, and no question before it does")
        options = {letter: str(row[letter]) for letter in _LETTERS if row.get(letter) is not None}
        asked = str(value_of(row, "question", where="sheet"))
        hint = row.get("hint")
        kept = ("question", *options, "answer", "category", "l2-category", "split")
        yield Question(
            key=str(index),
            image=pictures[base],
            prompt=_choices(f"{hint}\n{asked}" if hint else asked, options),
            options=options,
            row={"index": index} | {name: row[name] for name in kept if row.get(name) is not None},
            answer_field="prediction",
        )


def _choices(question: str, options: Mapping[str, str]) -> str:
    lines = [question, *(f"{letter}. {words}" for letter, words in options.items()), _BY_LETTER]
    return "\n".join(lines)


def _file(images: Path | None, name: str) -> Path:
    if images is None:
        raise BadEvaluation(f"the questions name pictures such as {name}; say in which folder they are")
    path = (images / name).resolve()
    if not path.is_relative_to(images.resolve()):
        raise BadEvaluation(f"the picture {name} lies outside of {images}")
    return path


def _unpacked(text: str, index: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadEvaluation(f"the picture of question {index} is not base64") from exc
