"""From a teacher's whole answer to pairs that are fit for training, and what is wrong with the rest, for each kind of SVIT.

The second filter of SVIT (section 3.3): too few answers count as a failed try. A pair that is unfit is left out where enough others
are there; else all are kept, with the reasons, for a person. Used as the `read` of `asking.ask_until`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.writers.svit import checks
from models.writers.svit.boxes import BOX
from models.writers.svit.context import Context
from models.writers.svit.prompts import CONVERSATIONS, QAS_PER_CONVERSATION, REASONING_QAS, REFERRING_QAS
from models.writers.svit.read import Pair, Talk, read_pairs, read_prose, read_talks
from models.writers.svit.references import checked

MIN_DESCRIPTION_WORDS: Final = 80
"""Less is a caption: the published descriptions have 361.5 words in the mean."""
_SENTENCE_ENDS = (".", "!", "?", '"', "\u201d", ")")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One text of an answer: pairs of question and answer (a description has one, without question) and what is wrong."""

    pairs: tuple[Pair, ...]
    problems: tuple[str, ...] = ()
    topic: str = ""


Made = tuple[tuple[Written, ...] | None, tuple[str, ...]]
"""The texts of an answer, None if it holds none, and every problem in it."""


def read_conversations(text: str, context: Context) -> Made:
    """Three conversations of five pairs each; each conversation is a text of its own."""
    told = context.words
    talks = [_talk(number, talk, told) for number, talk in enumerate(read_talks(text, QAS_PER_CONVERSATION), start=1)]
    good = [talk for talk in talks if not talk.problems]
    if len(good) >= CONVERSATIONS:
        return tuple(good[:CONVERSATIONS]), ()
    missing = tuple(checks.too_few(len(talks), CONVERSATIONS, "conversations"))
    kept = tuple(
        Written(pairs=talk.pairs, topic=talk.topic, problems=(*talk.problems, *missing))
        for talk in talks[:CONVERSATIONS]
    )
    return kept or None, (*(problem for talk in talks[:CONVERSATIONS] for problem in talk.problems), *missing)


def read_reasoning(text: str, context: Context) -> Made:
    """Fifteen pairs that make one text."""
    return _one(_enough(read_pairs(text), context.words, REASONING_QAS))


def read_referring(text: str, context: Context) -> Made:
    """Ten pairs that make one text; each question and each answer refers to a known box."""
    told = context.words
    pairs: list[Pair] = []
    wrong: dict[Pair, str] = {}
    for question, answer in read_pairs(text):
        asked, said = checked(question, context.places), checked(answer, context.places)
        pair = (asked.text, said.text)
        pairs.append(pair)
        if problem := asked.problem or said.problem:
            wrong[pair] = problem
    return _one(_enough(pairs, told, REFERRING_QAS, wrong, boxes=True))


def read_description(text: str, context: Context) -> Made:
    """One long text: enough words, ended by a full stop, without its source."""
    prose = read_prose(text)
    if not prose:
        return None, ("There is no description.",)
    problems: list[str] = []
    if leak := checks.source_leak(prose, context.words):
        problems.append(f'It speaks of what it was written from ("{leak}").')
    if BOX.search(prose):
        problems.append("It gives coordinates.")
    if token := checks.foreign_token(prose):
        problems.append(f'It contains "{token}".')
    if (words := len(prose.split())) < MIN_DESCRIPTION_WORDS:
        problems.append(f"It has {words} words; at least {MIN_DESCRIPTION_WORDS} are needed.")
    if not prose.endswith(_SENTENCE_ENDS):
        problems.append("It breaks off.")
    return (Written(pairs=(("", prose),), problems=tuple(problems)),), tuple(problems)


def _one(written: Written) -> Made:
    return ((written,) if written.pairs else None), written.problems


def _talk(number: int, talk: Talk, told: str) -> Written:
    written = _enough(talk.pairs, told, QAS_PER_CONVERSATION)
    problems = tuple(f"Conversation {number}: {problem}" for problem in written.problems)
    return Written(pairs=written.pairs, problems=problems, topic=talk.topic)


def _enough(
    pairs: Sequence[Pair], told: str, wanted: int, wrong: dict[Pair, str] | None = None, *, boxes: bool = False
) -> Written:
    """The first `wanted` fit pairs; if there are fewer, all pairs as they are, with what is wrong with each."""
    problems = [(wrong or {}).get(pair) or checks.pair_problem(*pair, told, boxes=boxes) for pair in pairs]
    fit = [pair for pair, problem in zip(pairs, problems, strict=True) if problem is None]
    if len(fit) >= wanted:
        return Written(pairs=tuple(fit[:wanted]))
    said = [f"Question {number}: {problem}." for number, problem in enumerate(problems, start=1) if problem]
    return Written(pairs=tuple(pairs), problems=(*said, *checks.too_few(len(fit), wanted, "questions with answers")))
