"""What makes an answer unfit: it betrays its source, it declines, or it carries tokens that a training file must not hold.

SVIT (section 3.3) has two filters: words that reveal the source, and too few answers; `read` counts. The paper gives no list
of words and its released texts still hold refusals, so both rules are ours. A telling word is forgiven where the notes of
the picture themselves use it ("a caption on the poster", "boxes"), but "according to the caption" never is. Plain scanning, called for each question and answer.
"""

import re
from collections.abc import Collection
from typing import Final

from models.writers.refusals import is_refusal
from models.writers.svit.boxes import BOX

# "the provided image description", "these short captions": what may stand between an article and the telling noun.
_BETWEEN = r"(?:(?:image|picture|photo|scene|region|object|visual|given|provided|supplied|above|available|accompanying|short|other|various|all|of) ){0,4}"
_ARTICLE = r"(?:the|this|that|these|those|its|your|their|all|each|any|one|some|several|a|an)"
_SURE = (
    r"bounding[ -]?box(?:es)?|bboxe?s?|ground[ -]truth|meta ?data|"
    r"(?:box|image|normali[sz]ed|given|provided) coordinates?|"
    r"(?:image|region|object|scene|picture|given|provided|supplied) (?:caption|description|annotation)s?"
)
_NOUN = r"captions?|descriptions?|annotations?"
# Words that also mean things in pictures tell only after "according to" or before "says".
_LOOSE = rf"{_NOUN}|notes|remarks|sentences|information|metadata|data|coordinates"
_FROM = (
    r"according to|based (?:up)?on|judging (?:by|from)|going by|as per|relying on|"
    r"(?:stated|mentioned|described|noted|indicated|listed|specified|given|provided|said|reported|written|recorded) in"
)
_NAMED = rf"{_LOOSE}|statements?|facts|inputs?|prompts?|regions?|boxes|details? (?:given|provided)|(?:objects? )?list of (?:objects|things)|objects? list"
_SAYS = (
    r"says?|states?|stated|mentions?|mentioned|indicates?|indicated|describes?|specify|specif(?:y|ies|ied)|notes?|noted|lists?|listed|tells?|reports?|"
    r"refers?|confirms?|suggests?|implies|imply|does not|do not|doesn't|don't|provides? no|gives? no"
)
_PHRASES: Final = (
    re.compile(rf"\b(?:{_FROM}) (?:{_ARTICLE} )?{_BETWEEN}(?P<noun>{_NAMED})\b"),
    re.compile(rf"\b{_ARTICLE} {_BETWEEN}(?P<noun>{_LOOSE}) (?:also |clearly |explicitly |only )?(?:{_SAYS})\b"),
    re.compile(
        rf"\b(?:the|this) (?:given|provided|supplied|available) {_BETWEEN}(?P<noun>{_NAMED}|details?|context|texts?)\b"
    ),
    re.compile(
        r"\b(?:is|are|was|were|been|be)(?: not|n't) (?:explicitly |specifically |directly |clearly )?"
        r"(?:mentioned|specified|stated|provided|listed|annotated|described|noted)\b"
    ),
)
_WORDS: Final = re.compile(rf"\b(?:{_SURE}|{_NOUN})\b")
_OPEN: Final = re.compile(
    r"\b(?:can ?not be (?:determined|known|inferred|told)|(?:im|not )possible to (?:determine|know|tell|say)|"
    r"there is (?:no|not enough|insufficient) information|(?:it is |it's |is )unknown (?:whether|if|what|who|why|how|where))\b"
)
_TOKENS: Final = re.compile(
    r"<image>|</?s>|<\|[^|<>]{1,40}\|>|\[/?(?:INST|IMG)\]|<unk>|<pad>|(?-i:\b(?:USER|ASSISTANT):)", re.IGNORECASE
)


def source_leak(text: str, told: str) -> str | None:
    """Return the words by which `text` shows that it was written from notes, or None. `told` is what the notes say."""
    plain, known = _plain(text), _plain(told)
    for pattern in _PHRASES:
        for found in pattern.finditer(plain):
            noun = found.groupdict().get("noun")
            if noun is None or re.fullmatch(_NOUN, noun) or not _holds(known, noun):
                return found[0]
    return next((found[0] for found in _WORDS.finditer(plain) if not _holds(known, found[0])), None)


def _holds(text: str, words: str) -> bool:
    return re.search(rf"\b{re.escape(words)}\b", text) is not None


def refuses(text: str) -> bool:
    """Whether an answer declines, or leaves open what was asked: a question without a sure answer teaches guessing."""
    return is_refusal(text) or _OPEN.search(_plain(text)) is not None


def foreign_token(text: str) -> str | None:
    """Return a token that a chat template or a training file would obey, or None."""
    found = _TOKENS.search(text)
    return found[0] if found else None


def pair_problem(question: str, answer: str, told: str, *, boxes: bool = False) -> str | None:
    """Return what is wrong with one question and its answer in words for the teacher, or None; `boxes` may be cited."""
    for text in (question, answer):
        if not boxes and BOX.search(text):
            return "it gives coordinates"
        if leak := source_leak(text, told):
            return f'it speaks of what it was written from ("{leak}")'
        if token := foreign_token(text):
            return f'it contains "{token}"'
    if refuses(answer):
        return "it is not answered"
    return None


def too_few(found: int, wanted: int, what: str) -> Collection[str]:
    """One sentence if fewer than wanted were found, else none."""
    return () if found >= wanted else (f"There are {found} usable {what} of {wanted}.",)


def _plain(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").casefold().split())
