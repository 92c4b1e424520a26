"""Reads yes, no or an option's letter out of a model's words, by the rules that the published numbers rest on.

Pure functions on text. Knows no file and no metric.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

_LETTER: Final = re.compile(
    r"^\W*(?:the\s+)?(?:correct\s+)?(?:answer|option|choice)?\s*(?:is)?\W*([A-Z])(?=$|[\s.,:;)\]])", re.IGNORECASE
)
_SUFFIXES: Final = (
    "Answer the question using a single word or phrase.",
    "Please answer yes or no.",
    "Answer with the option's letter from the given choices directly.",
)


def plain_question(text: str) -> str:
    """Return a question without the answering instruction behind it, blanks made single."""
    text = " ".join(text.split())
    for suffix in _SUFFIXES:
        text = text.removesuffix(suffix).strip()
    return text


def pope_yes(text: str) -> bool:
    """POPE's rule: no if `No`, `not` or `no` is a word of the first sentence, else yes, also where nothing was said."""
    first = text.partition(".")[0].replace(",", "")
    return not {"No", "not", "no"}.intersection(first.split(" "))


def mme_yes(text: str) -> bool | None:
    """MME's rule: yes or no if that is all, else if one stands in the first four characters, else None (never right)."""
    said = text.lower()
    if said in ("yes", "no"):
        return said == "yes"
    if "yes" in said[:4]:
        return True
    return False if "no" in said[:4] else None


def label_is_yes(label: str) -> bool | None:
    """Return what a label file says; None where it says neither yes nor no."""
    known: Mapping[str, Literal[True, False]] = {"yes": True, "no": False}
    return known.get(label.strip().lower())


def option_letter(text: str, options: Mapping[str, str] | None = None) -> str | None:
    """Return the chosen letter, or None where the reply names no option.

    A reply names an option by its words, by its letter alone or by the letter at the start: "B", "(B)", "B. a dog",
    "The answer is B". An article or a pronoun at the start ("A dog", "I see") is no letter.
    """
    said = text.strip()
    if len(said) == 1 and said.isalpha():
        return said.upper()
    if options:
        spoken = [letter for letter, words in options.items() if words and _bare(words) == _bare(said)]
        if len(spoken) == 1:
            return spoken[0]
    found = _LETTER.match(said)
    if found is None or (found[1] in ("a", "A", "I") and re.match(r"\W*(?:A|I)\s+\w", said, re.IGNORECASE)):
        return None
    letter = found[1].upper()
    return letter if options is None or letter in options else None


def _bare(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .")
