"""Finds the noun phrases of an English sentence by a rule of our own: no tagger, no model, no word list beyond closed classes.

The rule. A sentence is cut into words. Prepositions (but "of"), conjunctions, pronouns, auxiliaries, adverbs of place and
punctuation end a phrase; so do verbs, which are known by a short list, or by standing where a noun phrase just ended (a word in
-ing or -ed after a noun, a last word in -s or -ed before a determiner). A determiner begins a phrase. What lies between is a noun phrase if a
noun may be in it: a determiner with at least one word, or any other word that is no number alone.

Called by `grounding.phrases`. Wrong where English is: "the saw" or "painted doors" need a dictionary.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.grounding.english import DETERMINERS, PHRASE_ENDS, SIDES, VERBS

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
# After these a word in -ing or -ed is an adjective: "a smiling woman", "two parked cars".
_VERB_END = ("ing", "ed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """`text[char_start:char_end]`, without blanks at its ends."""

    char_start: int
    char_end: int


def noun_phrases(sentence: str) -> tuple[Span, ...]:
    """Return the noun phrases of `sentence` in order, without overlap."""
    return tuple(
        Span(char_start=chunk[0].start(), char_end=chunk[-1].end()) for chunk in _chunks(sentence) if _names(chunk)
    )


def _chunks(sentence: str) -> Iterator[list["re.Match[str]"]]:
    """Yield the runs of words between what ends a phrase."""
    chunk: list[re.Match[str]] = []
    tokens = list(_TOKEN.finditer(sentence))
    for index, token in enumerate(tokens):
        word = token[0].lower()
        if word in DETERMINERS and not (chunk and _opens(chunk)):
            yield _without_verb(chunk)
            chunk = [token]
        elif not word[0].isalnum() or word in PHRASE_ENDS or _is_verb(word, chunk, tokens[index + 1 :]):
            yield chunk
            chunk = []
        elif word == "of" and (not chunk or chunk[0][0].lower() in SIDES):
            chunk = []  # "left of", "in front of": a place, and no thing; "a piece of paper" is one phrase
        else:
            chunk.append(token)
    yield chunk


def _opens(chunk: list["re.Match[str]"]) -> bool:
    """Whether the phrase so far has determiners only, or still waits for what comes after "of"."""
    return all(token[0].lower() in DETERMINERS for token in chunk) or chunk[-1][0].lower() == "of"


def _is_verb(word: str, chunk: list["re.Match[str]"], rest: list["re.Match[str]"]) -> bool:
    """Whether a word is a verb here: after a determiner it is an adjective or a noun if another word follows or it ends in -s."""
    if chunk and _opens(chunk):
        return False
    if word in VERBS:
        return bool(chunk) or bool(rest)
    return bool(chunk) and word.endswith(_VERB_END) and len(word) > 4


def _without_verb(chunk: list["re.Match[str]"]) -> list["re.Match[str]"]:
    """Drop the last word of a phrase that runs into a determiner: "A dog chases | the cat"."""
    content = [token for token in chunk if token[0].lower() not in DETERMINERS]
    verb = len(content) > 1 and chunk[-1][0].lower().endswith(("s", "ed", "ing"))
    return chunk[:-1] if verb else chunk


def _names(chunk: list["re.Match[str]"]) -> bool:
    """Whether a noun may be in it."""
    words = [token[0].lower() for token in chunk]
    return words[-1:] != ["of"] and any(word not in DETERMINERS and not word.isdigit() for word in words)
