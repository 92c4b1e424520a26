"""The words of the tasks that are asked mark by mark or phrase by phrase: `classify`, `phrases`, `correspond`.

The small model gets the very sentences it was trained on ("What is mark 3?", "Which mark is the red circle?") and is told nothing it
was not taught; a large one gets the whole task, with foreign text as JSON. Called by `models.grounding`; knows no images.
"""

import json
from collections.abc import Sequence

from models.errors import BadInput
from models.vlm.prompts import WHAT_TEMPLATES, TableRow, build_prompt, general_prompt, mark_table
from models.vlm.types import Dialect
from models.vlm.untrusted import neutralise, one_line, quoted

MAX_POOL = 1_000
MAX_CHOICE_CHARS = 190
# 4,096 tokens of LLaVA-1.5 hold 576 of the picture and about 1,000 of the table; the pool may take as much again.
MAX_POOL_BYTES = 4_000
MAX_SENTENCE_CHARS = 2_000


def closed_pool(choices: Sequence[str], dialect: Dialect) -> dict[str, str]:
    """Return {exact answer text: choice as given}; raises BadInput for choices that are empty, too long or alike.

    `red circle.` is how the small model names things, always in lower case. A large one writes `[red circle]`: the bracket
    ends the name, so no answer is the beginning of another.
    """
    if not 1 <= len(choices) <= MAX_POOL:
        raise BadInput(f"`choices` must hold 1 to {MAX_POOL} names; there are {len(choices)}")
    answers: dict[str, str] = {}
    alike: set[str] = set()
    for choice in choices:
        name = one_line(choice)
        if not name or len(name) > MAX_CHOICE_CHARS or not name.isprintable():
            raise BadInput(f"a choice must be a printable name of 1 to {MAX_CHOICE_CHARS} characters")
        key = "".join(name.casefold().split())
        if key in alike:
            raise BadInput(f"two choices are alike: {name[:40]!r}")
        alike.add(key)
        answers[f"{name.lower()}." if dialect == "tiny" else f"[{name}]"] = choice
    if dialect == "general" and len("".join(answers).encode()) > MAX_POOL_BYTES:
        raise BadInput(
            f"the names in `choices` have over {MAX_POOL_BYTES} bytes in all; the model cannot be told of them"
        )
    return answers


def classify_prompt(
    mark_id: str, answers: Sequence[str], query: str, rows: Sequence[TableRow], dialect: Dialect
) -> str:
    """Return the question what mark `mark_id` is; a large model is shown the pool and the caller's own words."""
    if dialect == "tiny":
        return mark_table(rows) + WHAT_TEMPLATES[0].replace("{mark}", mark_id)
    wish = f"The user says (a JSON string): {quoted(query, MAX_SENTENCE_CHARS)}\n" if query.strip() else ""
    names = ", ".join(json.dumps(answer[1:-1], ensure_ascii=False) for answer in answers)
    return general_prompt(
        f"{wish}The only names there are (JSON strings): {names}\nWhich of these names fits the thing at mark [{mark_id}] "
        "best? Answer with the name alone, in square brackets.",
        rows,
    )


def phrase_prompt(sentence: str, phrase: str, rows: Sequence[TableRow], dialect: Dialect) -> str:
    """Return the question which mark `phrase`, a part of `sentence`, speaks of."""
    if dialect == "tiny":
        return build_prompt("refer", phrase, rows, dialect)
    example = rows[0].id if rows else "1"
    return general_prompt(
        f"A sentence about the picture (a JSON string): {quoted(sentence, MAX_SENTENCE_CHARS)}\nWhich mark does this part of "
        f"it speak of (a JSON string)? {quoted(phrase, MAX_SENTENCE_CHARS)}\nAnswer with the mark alone, like [{example}], or "
        "with [none] if no mark fits.",
        rows,
    )


def correspond_prompt(mark_id: str, query: str, rows: Sequence[TableRow], target_rows: Sequence[TableRow]) -> str:
    """Return the question which mark of the second picture is the thing at mark `mark_id` of the first; large models only."""
    wish = f"The user says (a JSON string): {quoted(query, MAX_SENTENCE_CHARS)}\n" if query.strip() else ""
    example = target_rows[0].id if target_rows else "1"
    first, second = mark_table(rows, "general"), mark_table(target_rows, "general")
    told = (f"The first picture. {first}" if first else "") + (f"The second picture. {second}" if second else "")
    return general_prompt(
        f"There are two pictures; each has marks of its own, and equal marks mean nothing.\n{told}{wish}Which mark of the "
        f"second picture is on the very thing that mark [{mark_id}] of the first picture is on? Answer with the mark of the "
        f"second picture alone, like [{example}], or with [none] if it is not there.",
        (),
    )


def preface(instructions: str, earlier: Sequence[tuple[str, str]]) -> str:
    """Return what a large model is told of the caller's instructions and of earlier (role, text) turns; "" if nothing."""
    parts = []
    if instructions.strip():
        told = json.dumps(neutralise(instructions).strip(), ensure_ascii=False)
        parts.append(f"Whoever runs this service says (a JSON string): {told}\n")
    if earlier:
        turns = [{"role": role, "content": neutralise(text).strip()} for role, text in earlier]
        parts.append(f"The conversation so far, as JSON: {json.dumps(turns, ensure_ascii=False)}\n")
    return "".join(parts)
