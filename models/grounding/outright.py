"""Instructions that name their mark outright: "Click [3]", "type Oslo into mark 12", "mark 3".

Ids stay from screen to screen, so that agents and people may speak in them. Such an instruction is not looked up by words: whatever
a page has written or painted on it, that mark is meant and no other. Called by `grounding.scene`; knows no pictures.
"""

import re
from collections.abc import Collection

from models.ranking import Ranked, Understood, readings
from models.vlm.parse import find_mentions

# A number alone is no name of a mark here, nor is "3." as in a listing: "Click 3" may be a page's number or a day.
_NAMES_A_MARK = re.compile(r"(?:the\s+)?(?:\[|mark\b)", re.IGNORECASE)
_NOTHING_MORE = re.compile(r"(?:the\s+)?(?:mark\s+)?\s*[.!?]?", re.IGNORECASE)


def named_outright(query: str, ids: Collection[str]) -> Understood | None:
    """Return what `query` wants of the one existing mark that it names and nothing else, None if it speaks of things in words."""
    if _NAMES_A_MARK.search(query) is None:  # nearly all: the ranker will read them, once is enough
        return None
    for intent in readings(query):
        mark = _mark_alone(intent.target, ids)
        if mark is not None:
            others = [Ranked(id=other, score=0.0, reason="text") for other in ids if other != mark]
            return Understood(intent=intent, ranked=[Ranked(id=mark, score=1.0, reason="text"), *others])
    return None


def _mark_alone(target: str, ids: Collection[str]) -> str | None:
    mentions = find_mentions(target, ids).mentions
    if len(mentions) != 1 or not _NAMES_A_MARK.match(target):
        return None
    left = target[: mentions[0].char_start] + target[mentions[0].char_end :]
    return mentions[0].mark if _NOTHING_MORE.fullmatch(left) else None
