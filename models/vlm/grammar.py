"""Turns the choices of a selecting task into constraints: for a server (structured outputs) and for tokens (a trie).

The constraint is built here from ids that exist; a client never supplies a pattern of its own. Called by the backends only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import BadInput
from models.vlm.prompts import choice_answer
from models.vlm.types import NONE, Dialect

MAX_CHOICES = 1_000
MAX_ANSWER_CHARS = 200


def with_none(choices: Sequence[str]) -> tuple[str, ...]:
    """Return `choices` followed by NONE; raises BadInput when they are not distinct plain ids."""
    kept = tuple(choices)
    if len(kept) > MAX_CHOICES:
        raise BadInput(f"{len(kept)} choices were given; at most {MAX_CHOICES} are accepted")
    if len(set(kept)) != len(kept) or NONE in kept:
        raise BadInput(f"choices must be distinct and must not hold {NONE!r}")
    for choice in kept:
        if not (choice.isascii() and choice.isalnum()):
            raise BadInput(f"a choice must be letters or digits, got {choice!r}")
    return (*kept, NONE)


def whole_answers(texts: Sequence[str]) -> dict[str, str]:
    """Return {text: text}; raises BadInput unless `texts` are printable lines that differ in more than their blanks."""
    if not 1 <= len(texts) <= MAX_CHOICES:
        raise BadInput(f"{len(texts)} answers were given; 1 to {MAX_CHOICES} are accepted")
    for text in texts:
        if not (text.isprintable() and text.strip() == text and 1 <= len(text) <= MAX_ANSWER_CHARS):
            raise BadInput(f"an answer must be one printable line of 1 to {MAX_ANSWER_CHARS} characters")
    if len({"".join(text.split()) for text in texts}) != len(texts):
        raise BadInput("the answers to weigh must be distinct, also without their blanks")
    return {text: text for text in texts}


def answers(choices: Sequence[str], dialect: Dialect) -> dict[str, str]:
    """Return {exact answer text: choice} for `choices` (NONE included by the caller)."""
    return {choice_answer(choice, dialect): choice for choice in choices}


def structured_outputs(texts: Iterable[str], dialect: Dialect) -> dict[str, Any]:
    """Return vLLM's `structured_outputs` value that admits exactly the answer `texts`.

    What follows `ASSISTANT:` begins with a blank in our model's training; forbidding it would force tokens it never saw. Other
    models' templates differ, so they may do either.
    """
    spaced = [f" {text}" for text in texts]
    return {"choice": spaced if dialect == "tiny" else [text[1:] for text in spaced] + spaced}


def json_schema(choices: Sequence[str], key: str = "mark") -> dict[str, Any]:
    """Return OpenAI's `response_format` value for an object whose `key` is one of `choices`."""
    schema = {
        "type": "object",
        "properties": {key: {"type": "string", "enum": list(choices)}},
        "required": [key],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": key, "strict": True, "schema": schema}}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTrie:
    """Token sequences with shared beginnings, as arrays over nodes; a parent comes before its children.

    `parents[n]` is -1 for a first token. `paths[i]` are the nodes of sequence i from its first to its last token.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    depths: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]

    @staticmethod
    def build(sequences: Sequence[Sequence[int]]) -> "TokenTrie":
        """Return the trie of `sequences`; raises ValueError if one of them is a beginning of another."""
        children: dict[tuple[int, int], int] = {}
        tokens: list[int] = []
        parents: list[int] = []
        depths: list[int] = []
        paths: list[tuple[int, ...]] = []
        for sequence in sequences:
            path: list[int] = []
            for token in sequence:
                parent = path[-1] if path else -1
                node = children.setdefault((parent, token), len(tokens))
                if node == len(tokens):
                    tokens.append(token)
                    parents.append(parent)
                    depths.append(len(path))
                path.append(node)
            paths.append(tuple(path))
        inner = set(parents)
        if any(not path or path[-1] in inner for path in paths) or len(set(paths)) != len(paths):
            raise ValueError("no sequence may be empty, repeated, or the beginning of another one")
        return TokenTrie(tokens=tuple(tokens), parents=tuple(parents), depths=tuple(depths), paths=tuple(paths))

    def inner_nodes(self) -> tuple[int, ...]:
        """Return the nodes that have children, parents first: the only ones a model must read to score all paths."""
        return tuple(sorted(set(self.parents) - {-1}))
