"""Texts as real interfaces have them, as a text reader reads them, and as people ask for them.

Mark tables nobody drew are written from these: words of the lists, names, amounts, dates, file names and words nobody has
seen, because a table must be matched by its letters and not by rote. Knows no tables and no prompts.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from models.drawings import words
from models.pages.words import ADJECTIVES, FIELDS, LABELS, NAV, NOUNS, Words

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
# Single signs a text reader confuses.
CONFUSED: Final = {"o": "0", "0": "O", "l": "1", "1": "l", "i": "l", "I": "l", "t": "1", "O": "0", "S": "5", "B": "8"}
STRAY: Final = ("e", "f", "G", "O", "V", "Q", "+", "*", "•", "x", "8", "=", ">", "©")
ENDINGS: Final = ("...", ":", "*", " ▼", " ↑↓", " >", "!", "?", " (optional)", " ", ".", ",")
JOINTS: Final = ("", "", "with ", "for ", "and ", "by ", "in ", "- ", "/ ", "of ")
TAILS: Final = (
    ": activate to sort column ascending", " example", " in a new window", " (opens in a new tab)", " menu", " options",
    " of the page", ", collapsed", " is required",
)  # fmt: skip


def rich_label(rng: Random) -> str:
    """One text of one to six words."""
    speaker = Words(rng)
    makers: tuple[tuple[float, Callable[[], str]], ...] = (
        (0.2, lambda: words.label(rng)),
        (0.16, lambda: rng.choice(rng.choice((LABELS, NAV, FIELDS)))),
        (0.14, lambda: speaker.title(1, 5)),
        (0.12, lambda: " ".join(unseen_word(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))),
        (
            0.1,
            lambda: f"{rng.choice((unseen_word(rng), rng.choice(words.ACTIONS)))} {speaker.noun()} {unseen_word(rng)}",
        ),
        (0.08, lambda: speaker.phrase(2, 6)),
        (0.12, speaker.value),
        (0.08, lambda: f"{unseen_word(rng)} {rng.randint(0, 99)}{rng.choice(('', '.0', '+', '%', 'px', '-A'))}"),
    )
    return rng.choices([make for _, make in makers], [share for share, _ in makers])[0]()


def unseen_word(rng: Random) -> str:
    """A word of syllables, an acronym, or letters at random; any case."""
    draw = rng.random()
    if draw < 0.55:
        return words.pseudo_word(rng)
    if draw < 0.7:
        return "".join(rng.choice(LETTERS) for _ in range(rng.randint(2, 5))).upper()
    word = "".join(rng.choice(LETTERS) for _ in range(rng.randint(3, 8)))
    return word.capitalize() if rng.random() < 0.6 else word


def family(rng: Random, count: int) -> list[str]:
    """`count` different texts that share most of their words, as the links of a menu do."""
    head = " ".join(
        rng.choice((rng.choice(NAV), rng.choice(NOUNS), unseen_word(rng))) for _ in range(rng.randint(1, 2))
    )
    found: list[str] = []
    while len(found) < count:
        own = rng.choice((rng.choice(ADJECTIVES), rng.choice(NOUNS), unseen_word(rng), rng.choice(words.ACTIONS)))
        own = own.capitalize() if head[0].isupper() else own
        text = f"{head} {own}" if rng.random() < 0.6 else f"{own} {head}"
        if text not in found:
            found.append(text)
    return found


def nested(rng: Random, count: int) -> list[str]:
    """`count` different texts that all hold the first one whole, as `Login with Google` holds `Login`."""
    core = rng.choice((rng.choice(LABELS), rng.choice(FIELDS), rng.choice(NAV), unseen_word(rng), words.label(rng)))
    found = [core]
    while len(found) < count:
        own = rng.choice((rng.choice(ADJECTIVES), rng.choice(NOUNS), unseen_word(rng), rng.choice(words.ACTIONS)))
        before, after = f"{own.capitalize()} {core}", f"{core} {rng.choice(JOINTS)}{own}"
        text = rng.choice((before, after, f"{before} {rng.choice(JOINTS)}{rng.choice(NOUNS)}"))
        if text not in found:
            found.append(text)
    return found


def long_titles(rng: Random, count: int) -> list[str]:
    """`count` different texts: long ones that differ in a part or two, as a list of examples has them, and pieces of these."""
    speaker = Words(rng)
    parts = [
        speaker.title(1, 2),
        rng.choice(NOUNS).capitalize(),
        rng.choice(("using", "with", "for", "by", "and")),
        rng.choice(ADJECTIVES),
        rng.choice((rng.choice(NOUNS), unseen_word(rng), speaker.title(1, 2))),
    ]
    found = [" ".join(parts)]
    while len(found) < count:
        if rng.random() < 0.25:
            whole = rng.choice(found).split()
            text = " ".join(whole[rng.randrange(len(whole)) :]) + rng.choice(("", "."))
        else:
            other = list(parts)
            for at in rng.sample((0, 1, 3, 4), rng.randint(1, 2)):
                other[at] = rng.choice((rng.choice(NOUNS), rng.choice(ADJECTIVES), unseen_word(rng)))
            text = " ".join(other)
        if text not in found:
            found.append(text)
    return found


def as_read(text: str, rng: Random) -> str:
    """What a text reader may make of `text`: stray signs, one wrong letter, a cut end, words run together."""
    draw = rng.random()
    if draw < 0.2 and len(text) > 5:
        return text[: rng.randint(max(4, len(text) // 2), len(text) - 1)].rstrip() + rng.choice(("", "...", "…"))
    if draw < 0.4:
        return f"{rng.choice(STRAY)}{rng.choice((' ', ' ', ''))}{text}"
    if draw < 0.6:
        return text + rng.choice(ENDINGS)
    if draw < 0.75 and " " in text:
        return _without(text, rng.choice([i for i, sign in enumerate(text) if sign == " "]))
    if draw < 0.88:
        return text.upper() if rng.random() < 0.5 else text.lower()
    return _confused(text, rng)


def _without(text: str, at: int) -> str:
    return text[:at] + text[at + 1 :]


def _confused(text: str, rng: Random) -> str:
    spots = [i for i, sign in enumerate(text) if sign in CONFUSED]
    if not spots or len(text) < 4:
        return text
    at = rng.choice(spots)
    return text[:at] + CONFUSED[text[at]] + text[at + 1 :]


def as_asked(text: str, rng: Random) -> str:
    """The same text as a page's author or a user may give it: other case, more at its end, fewer words."""
    draw = rng.random()
    if draw < 0.4:
        return text.lower()
    if draw < 0.55:
        return text.title()
    if draw < 0.75:
        return text + rng.choice(TAILS)
    parts = text.split()
    if len(parts) > 2:
        cut = rng.randint(2, len(parts) - 1)
        return " ".join(parts[:cut] if rng.random() < 0.7 else parts[-cut:])
    return text
