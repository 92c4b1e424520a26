"""Writes prepared questions and labels as the files of a suite: `questions.jsonl`, `labels.jsonl`, a link to the pictures.

The commands call it. Rows may come as a stream, and are never held together.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.errors import BadEvaluation

Rows = Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | None]]


def write_suite(out: Path, rows: Rows, images: Path | None) -> int:
    """Write each question with its label, where it has one; returns how many. Raises BadEvaluation where `out` is in use.

    `images` is linked as `out/images`, where runs look for pictures.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise BadEvaluation(f"{out} is not empty; name a new folder")
    asked, told = out / "questions.jsonl", out / "labels.jsonl"
    count = labelled = 0
    with asked.open("w", encoding="utf-8") as questions, told.open("w", encoding="utf-8") as labels:
        for question, label in rows:
            questions.write(json.dumps(question, ensure_ascii=False) + "\n")
            count += 1
            if label is not None:
                labels.write(json.dumps(label, ensure_ascii=False) + "\n")
                labelled += 1
    if not labelled:
        told.unlink()
    if images is not None:
        (out / "images").symlink_to(images.resolve(), target_is_directory=True)
    return count
