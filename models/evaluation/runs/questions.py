"""Reads the questions of a benchmark from its official files into one form.

Prompts are those of LLaVA's evaluation, since published figures rest on them: the question, the options one a line, and
a sentence on how to answer. Knows no model; a picture is a path or the bytes that a sheet carries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.runs.pictures import PictureAt, picture_file, unpacked
from models.evaluation.runs.tasks import TASKS, MarkQuestion, RegionRows, mark_questions, region_rows
from models.evaluation.scores.reading import Row, holds, read
from models.evaluation.scores.reading import field as value_of

_LETTERS: Final = "ABCDEF"
_YES_NO: Final = MappingProxyType({"Yes": "Yes", "No": "No"})
_BY_LETTER: Final = "Answer with the option's letter from the given choices directly."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: `key` is unique in its run, `row` is what the answer line repeats beside the answer.

    `options` maps what may be answered to its words; empty where any words will do. `answer_field` is the answer's name in it.
    `regions` are what a run with tags marks, None for what a segmenter finds.
    """

    key: str
    image: PictureAt
    prompt: str
    options: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)
    answer_field: str = "text"
    regions: RegionRows | None = None


AnyQuestion = Question | MarkQuestion


def load(benchmark: str, path: Path, images: Path | None) -> Sequence[AnyQuestion]:
    """Return the questions of `path`; raises BadEvaluation where a row or a picture's name is not as expected.

    `images` is the folder that names of pictures are relative to; MMBench's sheets carry theirs. A listing whose pictures
    carry their marks already is asked in the words of its file.
    """
    rows = read(path)
    questions: Sequence[AnyQuestion]
    if benchmark in TASKS and (benchmark != "listing" or holds(rows, "regions")):
        questions = list(mark_questions(benchmark, rows, images))
    elif benchmark == "mmbench":
        questions = list(_mmbench(rows))
    elif benchmark == "seed":
        questions = list(_seed(rows, images))
    else:
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
            image=picture_file(images, str(value_of(row, "image", where="questions"))),
            prompt=prompt,
            options=_YES_NO if benchmark in ("pope", "mme") else {},
            row={"image": row["image"]} if listing else {"question_id": question_id, "prompt": prompt},
            regions=region_rows(row),
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
            image=picture_file(images, str(value_of(row, "data_id", where="questions"))),
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
            pictures[index] = unpacked(str(packed), index)
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
