"""How alike a wanted name and a mark's text are, forgiving what text readers get wrong.

Used by `models.ranking`; pure functions on strings.
"""

import re
import unicodedata

from rapidfuzz import fuzz

# Same words, other signs: readers lose and find colons and dots, but "Learn more!!!" is not "Learn more".
_OTHER_SIGNS, _LOUDER = 0.985, 0.9
_LOUD = re.compile(r"[!?]")
# "[7] Save", "Mark 7: Save": a text that names a mark is written for whoever reads marks, not for people.
_NAMES_A_MARK = re.compile(r"\[\s*[0-9]{1,3}\s*\]|\bmarks?\s+[0-9]{1,3}\b", re.IGNORECASE)
_FOR_MARKS = 0.28
_WITH_A_NUMBER = 0.9
_STOP_WORDS = frozenset({"the", "a", "an", "of", "to", "in", "on", "for", "and", "or", "is", "with"})


def normalise(text: str) -> str:
    """Fold case, widths and accents, keep letters and digits, one space between words."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", plain))


def similarity(wanted: str, text: str) -> float:
    """Return 0-1: 1 for the same words, lower the more is missing on either side; symbols count if there is nothing else.

    Numbers are the same or not; the same words with other signs fall a little behind; a text that names a mark by far.
    """
    if _NAMES_A_MARK.search(text) and not _NAMES_A_MARK.search(wanted):
        return _FOR_MARKS * _similarity(wanted, _NAMES_A_MARK.sub(" ", text))
    return _similarity(wanted, text)


def _similarity(wanted: str, text: str) -> float:
    one, other = normalise(wanted), normalise(text)
    if not one or not other:
        # Names like "+", ">" or "..." have no letters at all.
        return 1.0 if wanted.strip() and wanted.strip() == text.strip() else 0.0
    if one == other:
        return _same_words(wanted, text)
    if one.isdigit():
        return _whole_number(one, other)
    tight_one, tight_other = one.replace(" ", ""), other.replace(" ", "")
    if tight_one == tight_other:
        return 0.99  # the reader lost or found a space
    whole = fuzz.ratio(tight_one, tight_other) / 100
    shared = _shared_words(one.split(), other.split())
    # Letters in common prove little below two thirds: any two short words share half of theirs.
    return max(0.98 * whole if whole >= 0.66 else 0.5 * whole, 0.96 * shared)


def _same_words(wanted: str, text: str) -> float:
    """1 where the signs are the same as well; case, accents and blanks never count."""
    if _LOUD.findall(wanted) != _LOUD.findall(text):
        return _LOUDER
    return 1.0 if _letters_and_signs(wanted) == _letters_and_signs(text) else _OTHER_SIGNS


def _letters_and_signs(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if not unicodedata.combining(char) and not char.isspace())


def _whole_number(wanted: str, text: str) -> float:
    """A number is its digits: 66 is not almost 9662."""
    words = text.split()
    return _WITH_A_NUMBER * (0.5 + 0.5 / len(words)) if wanted in words else 0.0


def holds_words(text: str, wanted: str) -> bool:
    """Whether every word of `wanted` that says something stands in `text`; False where there is none."""
    held, words = set(normalise(text).split()), [word for word in normalise(wanted).split() if word not in _STOP_WORDS]
    return bool(words) and all(word in held for word in words)


def _shared_words(wanted: list[str], text: list[str]) -> float:
    """Half of it: share of the wanted words found; other half: share of the text's words that were wanted."""
    found = sum(_weight(word) * _best(word, text) for word in wanted)
    used = sum(_weight(word) * _best(word, wanted) for word in text)
    recall = found / sum(map(_weight, wanted))
    precision = used / sum(map(_weight, text))
    return 0.5 * (recall + precision) if min(recall, precision) > 0 else 0.0


def _best(word: str, words: list[str]) -> float:
    """How well a word is found among others: 1 as it is, less with a letter or two misread, else 0."""
    if word in words:
        return 1.0
    if len(word) < 3:
        return 0.0
    closest = max(fuzz.ratio(word, other) for other in words) / 100
    # "Save" and "Sale" are 0.75 alike; longer words may lose a letter or two.
    return closest if closest >= (0.75 if len(word) > 4 else 0.85) else 0.0


def _weight(word: str) -> float:
    """Long words say more than short ones, and little words almost nothing."""
    return 0.3 if word in _STOP_WORDS else min(len(word), 8) ** 0.5
