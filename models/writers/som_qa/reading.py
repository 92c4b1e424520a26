"""Reads a conversation of Person and Assistant and says what is wrong with it. Called by the taught writer; plain scanning."""

import re
from collections.abc import Collection, Sequence

from models.vlm.parse import find_mentions
from models.writers.refusals import is_refusal

PERSON, ASSISTANT = "Person", "Assistant"
_SPEAKER = re.compile(
    r"^[\s>*#-]{0,8}(?:[0-9]{1,3}[.)]\s*)?\**(?P<who>Person|Assistant|User|Human)\**\s{0,2}:\**\s*(?P<said>.*)$",
    re.IGNORECASE,
)
MAX_TURN_CHARS = 2_000
_NAMED = 8
Pairs = tuple[tuple[str, str], ...]


def read_conversation(text: str, ids: Collection[str], *, least_turns: int) -> tuple[Pairs | None, list[str]]:
    """Return the (question, answer) pairs of `text`, and sentences on what is wrong with them.

    A turn goes on until the next speaker. The pairs are None where speakers do not alternate, beginning with Person and
    ending with Assistant, because then nobody knows which question an answer belongs to.
    """
    turns = _turns(text)
    speakers = [who for who, _ in turns]
    if not turns or speakers != [PERSON, ASSISTANT] * (len(turns) // 2):
        return None, [
            "Person and Assistant must take turns, Person first and Assistant last, each line begun by one of them."
        ]
    said = [words for _, words in turns]
    pairs = tuple(zip(said[::2], said[1::2], strict=True))
    return pairs, problems_of(pairs, ids, least_turns=least_turns)


def problems_of(pairs: Pairs, ids: Collection[str], *, least_turns: int) -> list[str]:
    """Return what is wrong with a conversation about the marks `ids`: length, empty turns, refusals, marks that do not exist.

    At least every second pair must name a mark: a conversation that ignores the tags teaches nothing about them.
    """
    problems = []
    if len(pairs) < least_turns:
        problems.append(f"There are {len(pairs)} questions with answers; at least {least_turns} are needed.")
    if any(not words.strip() for pair in pairs for words in pair):
        problems.append("A turn is empty.")
    if any(len(words) > MAX_TURN_CHARS for pair in pairs for words in pair):
        problems.append(f"A turn has more than {MAX_TURN_CHARS} characters.")
    if any(is_refusal(answer) for _, answer in pairs if answer.strip()):
        problems.append("An answer is a refusal.")
    found = [find_mentions(f"{question}\n{answer}", ids) for question, answer in pairs]
    unknown = dict.fromkeys(mark_id for mentions in found for mark_id in mentions.unresolved)
    if unknown:
        problems.append(f"These marks are not on the picture: {', '.join(list(unknown)[:_NAMED])}.")
    if pairs and 2 * sum(bool(mentions.mentions) for mentions in found) < len(pairs):
        problems.append("At least every second question or its answer must name a mark in square brackets.")
    return problems


def _turns(text: str) -> Sequence[tuple[str, str]]:
    turns: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        head = _SPEAKER.match(line)
        if head is not None:
            who = ASSISTANT if head["who"].lower() == ASSISTANT.lower() else PERSON
            turns.append((who, [head["said"].strip()]))
        elif turns and line.strip():
            turns[-1][1].append(line.strip())
    return [(who, "\n".join(filter(None, lines)).strip()) for who, lines in turns]
