"""LLaVA conversations from a JSON file, and the text that a model reads of them, with the places of the answers.

The encoder turns them into tokens. Knows no tokenizer and no pictures, only how LLaVA's files and templates are made.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.errors import BadInput

PLACEHOLDER: Final = "<image>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One record: a picture's path under the images folder, or None, and turns of question and answer."""

    id: str
    image: str | None
    turns: tuple[tuple[str, str], ...]


def read_conversations(path: Path) -> list[Conversation]:
    """The records of a LLaVA JSON file; raises BadInput with the number of the first record that is not one."""
    try:
        records = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not a readable JSON file") from error
    if not isinstance(records, list) or not records:
        raise BadInput("a dataset must be a JSON list with at least one record")
    return [_conversation(number, record) for number, record in enumerate(records)]


def _conversation(number: int, record: Any) -> Conversation:
    refusal = BadInput(f"record {number} is not a LLaVA conversation of human and gpt turns")
    try:
        who = [turn["from"] for turn in record["conversations"]]
        values = [str(turn["value"]) for turn in record["conversations"]]
        name, image = str(record.get("id", number)), record.get("image")
    except (KeyError, TypeError, AttributeError) as error:
        raise refusal from error
    if not who or who != ["human", "gpt"] * (len(who) // 2):
        raise refusal
    return Conversation(id=name, image=image, turns=tuple(zip(values[::2], values[1::2], strict=True)))


def chat_and_answers(turns: Sequence[tuple[str, str]], end: str, system: str = "") -> tuple[str, list[tuple[int, int]]]:
    """`SYSTEM USER: q ASSISTANT: a</s>USER: ...`, and the character span of each answer, end token included.

    The separators are vicuna_v1's: a blank between parts, the end token between rounds and nothing after it. Without a
    system sentence it is the small model's own template.
    """
    text, spans = f"{system} " if system else "", []
    for question, answer in turns:
        text += f"USER: {placed(question)} ASSISTANT:"
        start = len(text)
        text += f" {answer.strip()}{end}"
        spans.append((start, len(text)))
    return text, spans


def placed(question: str) -> str:
    """The question with its picture, if it names one, at the start: LLaVA's files put it before or after the words."""
    if question.count(PLACEHOLDER) != 1:
        return question.strip()
    return f"{PLACEHOLDER}\n{question.replace(PLACEHOLDER, '').strip()}"
